"""What pytest need not look into: the applications, which need the servers they are for."""

collect_ignore = ["apps"]
