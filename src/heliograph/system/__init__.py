"""What the machine gives: time, chance and processor; adapters of `Clock`, `Ids` and `Credentials`."""
