"""Cases, NIfTI reading, preparation, patient-grouped splits, augmentation and audits."""
