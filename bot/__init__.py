"""The Skin Matrix assistant: what it understands, says, stores and shows."""
