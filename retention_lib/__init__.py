"""Customer retention and lifetime value, from a client's orders to a report."""
