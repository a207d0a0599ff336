"""What the network learns from: X as numbers, y as what the loss sees, weights, splits."""
