"""What the bus delivers: notices and receipts, proved and kept."""
