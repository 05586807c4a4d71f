"""Beside the orders: tests of a measure, and what they take."""
