"""Evaluation of recommenders on files: reading, timing, showing; what is measured is in `online_models`."""
