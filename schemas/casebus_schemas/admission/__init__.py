"""What the bus records of a judgement: admissions, keys, receipts and notices."""
