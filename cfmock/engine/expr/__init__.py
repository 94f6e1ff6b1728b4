"""The expressions of flow definitions, such as `$Input.n > 2`, and the constructors that hold them."""

from cfmock.engine.expr.constructor import Constructor, compile_constructor
from cfmock.engine.expr.effort import Effort
from cfmock.engine.expr.errors import (
    ConstructorErrors,
    DataTooLarge,
    ExpressionError,
    ExpressionSyntaxError,
    MissingPathError,
)
from cfmock.engine.expr.evaluate import Expression, Scope, compile_expression

__all__ = [
    "Constructor",
    "ConstructorErrors",
    "DataTooLarge",
    "Effort",
    "Expression",
    "ExpressionError",
    "ExpressionSyntaxError",
    "MissingPathError",
    "Scope",
    "compile_constructor",
    "compile_expression",
]
