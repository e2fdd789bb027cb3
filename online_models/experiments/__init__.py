"""Experiments: who sees which variant, what came of it, and what may be concluded at any time."""
