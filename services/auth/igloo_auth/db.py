"""The auth service's declarative base and its database handle."""

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData

from igloo_common import database


class Base(database.Base):
    """What every table of this service is declared on: its own metadata, apart from other services'."""

    __abstract__ = True
    metadata = MetaData(naming_convention=database.NAMING_CONVENTION)


database.add_common_tables(Base.metadata)
db = SQLAlchemy(model_class=Base)
