"""Observers of runs: TensorBoard and MLflow. They are inactive until a destination is given."""
