"""Observers of runs, silent until they are told where to report to: TensorBoard and MLflow."""
