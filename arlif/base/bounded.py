"""Numbers within bounds, as types of fields that from_mapping checks."""

from typing import Annotated

from pydantic import Field

Count = Annotated[int, Field(ge=0)]
Amount = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
"""0 to 1."""
