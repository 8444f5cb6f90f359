"""Where files are kept: adapters of the `MediaStore` port."""
