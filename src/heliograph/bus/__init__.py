"""What nodes tell each other and count together: adapters of the `RateCounters` port."""
