"""Prediction at native spacing, for evaluation and for users alike."""
