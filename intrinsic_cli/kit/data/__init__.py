"""Datasets: one small reader each."""
