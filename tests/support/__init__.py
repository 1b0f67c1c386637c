"""What tests share: oracles written from the equations alone, strategies, small networks, files."""
