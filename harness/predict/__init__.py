"""Prediction of whole volumes, as label maps on the native grid."""
