"""What the client sees: words, numbers, pictures, tables, and the document that holds them."""
