"""The social service's declarative base and its database handle."""

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase

from igloo_common.database import add_common_tables, add_key_copies, new_registry


class Base(DeclarativeBase):
    """What every table of this service is declared on; no other service's is."""

    registry = new_registry()


add_common_tables(Base.metadata)
add_key_copies(Base.metadata)
db = SQLAlchemy(model_class=Base)
