"""Cases, reading, preparation, splits and augmentation."""
