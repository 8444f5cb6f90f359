"""Where records are kept: adapters of the store ports."""
