"""Judges of JSON documents by the schemas in docs/reference, which are public interface."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft7Validator

__all__ = ["REFERENCE", "described", "schema_of"]

REFERENCE: Final = Path(__file__).parents[1] / "docs" / "reference"


def schema_of(name: str) -> dict[str, Any]:
    """The schema as it is published, which is a schema itself."""
    found: dict[str, Any] = json.loads((REFERENCE / f"{name}.schema.json").read_bytes())
    Draft7Validator.check_schema(found)
    return found


def described(name: str, text: str) -> dict[str, Any]:
    """The document, in which everything is as the schema says, and nothing else is."""
    found: dict[str, Any] = json.loads(text)
    judge = Draft7Validator(_closed(schema_of(name)))
    wrong = [f"{error.json_path}: {error.message}" for error in judge.iter_errors(found)]
    assert wrong == []
    return found


def _closed(schema: Any) -> Any:
    """The same schema, by which no object has names that are not described.

    Readers have to bear new names; what is written today has to be described.
    """
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _closed(value) for key, value in schema.items()}
    if isinstance(found.get("properties"), dict) and found.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found
