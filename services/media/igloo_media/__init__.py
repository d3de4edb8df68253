"""Media: photos into S3 and back out."""
