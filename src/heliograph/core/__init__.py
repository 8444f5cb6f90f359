"""The product's rules: pure decisions over records, and use cases over ports. No socket, no clock, no chance."""
