"""The client file's keys: what a value may be, and how a refusal is worded."""
