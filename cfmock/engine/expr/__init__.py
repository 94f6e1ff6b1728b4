"""The expressions of flow definitions, such as `$Input.n > 2`, and the constructors that hold them."""

from cfmock.engine.expr.constructor import Constructor, compile_constructor
from cfmock.engine.expr.errors import ConstructorErrors, ExpressionError, ExpressionSyntaxError, MissingPathError
from cfmock.engine.expr.evaluate import Expression, Scope, compile_expression
from cfmock.engine.expr.functions import equal

__all__ = [
    "Constructor",
    "ConstructorErrors",
    "Expression",
    "ExpressionError",
    "ExpressionSyntaxError",
    "MissingPathError",
    "Scope",
    "compile_constructor",
    "compile_expression",
    "equal",
]
