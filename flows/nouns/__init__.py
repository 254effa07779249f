"""What things are: frozen, typed, knowing nothing of disk, network or clock."""
