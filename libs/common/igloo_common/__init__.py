"""What the three services have in common; it knows no domain word and imports no service."""

# prometheus_client picks its storage while it is being imported, and settings says which. Here, this comes
# before any module of ours can import that library.
from igloo_common import settings as settings
