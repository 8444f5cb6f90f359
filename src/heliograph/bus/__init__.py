"""What nodes tell each other and count together: adapters of `Bus` and `RateCounters`."""
