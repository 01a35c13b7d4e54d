//! The one registry of codes. A number is given out once; retired ones stay reserved.
//!
//! Bands: 01xx syntax, 02xx calls, 03xx types and fields, 04xx names and modules, 05xx patterns,
//! 06xx declarations and traits, 07xx constants and evaluation, 08xx concurrency, 12xx moves and borrows, 72xx lints,
//! 90xx files and use, 95xx internal.

use std::fmt;

use crate::Severity;

/// `QZ` and four digits.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QZ{:04}", self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! codes {
    ($($name:ident = $number:literal, $severity:ident, $title:literal;)*) => {
        impl Code {
            $(#[doc = $title] pub const $name: Code = Code($number);)*
        }
        /// Every code with its severity and title, in order of the number.
        pub const ALL: &[(Code, Severity, &str)] = &[$((Code($number), Severity::$severity, $title)),*];
    };
}

codes! {
    NOT_YET = 190, Error, "not available yet";
    ARG_COUNT = 200, Error, "wrong number of arguments";
    ARG_NAME = 201, Error, "no parameter of this name";
    ARG_TWICE = 202, Error, "argument given twice";
    ARG_MISSING = 203, Error, "a parameter has no argument";
    NOT_CALLABLE = 204, Error, "this is not a function";
    SPREAD = 205, Error, "this cannot be spread here";
    AMBIGUOUS_CALL = 206, Error, "two candidates of one rank";
    NO_METHOD = 207, Error, "no method of this name";
    OVERLOAD_VALUE = 208, Error, "an overloaded name needs an expected arity";
    TYPE_ARG_COUNT = 209, Error, "wrong number of type arguments";
    POSITIONAL_AFTER_NAMED = 210, Error, "positional argument after a named one";
    UNSATISFIED = 211, Error, "a bound is not met";
    UNSAFE_CALL = 212, Error, "a call that is not safe";
    C_FUNCTION = 213, Error, "this cannot be a C function";
    MISMATCH = 300, Error, "mismatched types";
    UNKNOWN_TYPE = 301, Error, "unknown type";
    NO_FIELD = 302, Error, "no field of this name";
    FIELD_MISSING = 303, Error, "a field has no value";
    FIELD_TWICE = 304, Error, "a field is given twice";
    INFINITE_TYPE = 305, Error, "a type would contain itself";
    CANNOT_INFER = 306, Error, "a type cannot be inferred";
    LITERAL_RANGE = 307, Error, "literal does not fit its type";
    MIXED_NUMBERS = 308, Error, "numbers of different types";
    CANNOT_ASSIGN = 309, Error, "this cannot be assigned to";
    CANNOT_CAST = 310, Error, "no such conversion";
    NO_OPERATOR = 311, Error, "operator is not defined for the type";
    NOT_PROPAGATE = 312, Error, "nothing to propagate to";
    PRIVATE_FIELD = 313, Error, "the field is private";
    NOT_INDEXABLE = 314, Error, "the type cannot be indexed";
    NOT_ITERABLE = 315, Error, "the type cannot be walked by `for`";
    RECURSIVE_VALUE = 316, Error, "a `@value` type contains itself";
    NOT_HASHABLE = 317, Error, "the key cannot be hashed";
    DYN_SAFE = 318, Error, "the trait cannot be used with `dyn`";
    TUPLE_INDEX = 319, Error, "no such tuple element";
    NO_SHOW = 320, Error, "the value cannot be shown";
    CANNOT_COMPARE = 321, Error, "the values cannot be compared";
    UNION = 322, Error, "types that cannot be members of one union";
    UNION_MEMBER = 323, Error, "no single member of a union fits";
    RECORD_REST = 324, Error, "a rest of a record that cannot be used so";
    REFINEMENT = 325, Error, "a type that cannot be refined so";
    REFINED_VALUE = 326, Error, "a value that a refined type does not have";
    NOT_A_REGEX = 327, Error, "this is no regex";
    VARIANT_NUMBER = 328, Error, "a number that a variant cannot have";
    UNKNOWN_NAME = 400, Error, "unknown name";
    UNKNOWN_MODULE = 401, Error, "unknown module";
    AMBIGUOUS_NAME = 402, Error, "a name comes from two wildcard imports";
    PRIVATE_ITEM = 403, Error, "the item is private";
    DUPLICATE = 404, Error, "declared twice";
    NOT_A_VALUE = 405, Error, "this is not a value";
    IMMUTABLE = 406, Error, "an immutable name cannot be assigned";
    UNKNOWN_VARIANT = 407, Error, "unknown variant";
    LABEL_UNKNOWN = 408, Error, "unknown label";
    OUTSIDE_LOOP = 409, Error, "`break` or `next` outside a loop";
    OUTSIDE_FUNCTION = 410, Error, "`return` outside a function";
    USED_BEFORE = 411, Error, "a name is used before it is bound";
    UNKNOWN_TRAIT = 412, Error, "unknown trait";
    SELF_OUTSIDE = 413, Error, "`self` outside a method";
    IMPORT_DIRECTORY = 414, Error, "a folder is not a module";
    BRANCH_BINDING = 415, Error, "a name bound in a branch ends with it";
    LEAVES_DEFER = 416, Error, "a `defer` cannot be left";
    UNKNOWN_ATTRIBUTE = 417, Error, "unknown attribute";
    UNKNOWN_MACRO = 418, Error, "unknown macro";
    ATTRIBUTE_PLACE = 419, Error, "the attribute cannot stand here";
    TEST_ONLY = 420, Error, "only tests may use this";
    INTERNAL_MODULE = 421, Error, "the module belongs to the library";
    NOT_EXHAUSTIVE = 500, Error, "match does not cover all values";
    DEAD_ARM = 501, Warning, "an arm can never match";
    PATTERN_TYPE = 502, Error, "the pattern does not fit the type";
    PATTERN_ARITY = 503, Error, "wrong number of parts in a pattern";
    OR_BINDINGS = 504, Error, "alternatives bind different names";
    REFUTABLE = 505, Error, "the pattern may fail here";
    BOUND_TWICE = 506, Error, "a name is bound twice in a pattern";
    EMPTY_RANGE = 507, Error, "an empty range in a pattern";
    CLAUSES = 508, Error, "clauses of one function differ";
    MISSING_METHOD = 600, Error, "a required method is missing";
    METHOD_SIGNATURE = 601, Error, "the method's signature differs from the trait's";
    NOT_IN_TRAIT = 602, Error, "the trait has no such member";
    OVERLAP = 603, Error, "overlapping impls";
    ORPHAN = 604, Error, "an impl away from its trait and type";
    EQ_WITHOUT_HASH = 605, Error, "only one of `==` and `hash` is overridden";
    OVERLOADS = 606, Error, "overloads accept the same number of arguments";
    NEEDS_SIGNATURE = 607, Error, "types must be written here";
    MISSING_ASSOC = 608, Error, "an associated type is missing";
    MODULE_VAR = 609, Error, "a module variable must be safe to share";
    MAIN = 610, Error, "`main` has an unusable form";
    CYCLIC_ALIAS = 611, Error, "an alias that means itself";
    FIELD_METHOD_CLASH = 612, Error, "a field and a method of one name";
    NO_BODY = 613, Error, "a function without a body";
    SUPERTRAIT = 614, Error, "a supertrait is not implemented";
    BAD_RECEIVER = 615, Error, "`self` cannot stand here";
    DROP_OF_VALUE = 616, Error, "`Drop` for a value";
    C_TYPE = 617, Error, "the type has no form in C";
    C_FORM = 618, Error, "an `extern \"C\"` function of an unusable form";
    C_SYMBOL = 619, Error, "an unusable symbol or library";
    GROWING_TYPES = 620, Error, "type arguments that grow without end";
    CONST_EVAL = 700, Error, "a constant cannot be evaluated";
    CONST_CYCLE = 701, Error, "constants depend on each other";
    STATIC_ASSERT = 702, Error, "a `static_assert` does not hold";
    INCLUDE = 703, Error, "a file cannot be included";
    NOT_CONST = 704, Error, "a `const def` cannot run at compile time";
    CFG = 710, Error, "a condition of `@cfg` that cannot be read";
    MACRO_ARGS = 720, Error, "a macro does not take these arguments";
    MACRO_FAILED = 721, Error, "a macro cannot be expanded";
    MACRO_RESULT = 722, Error, "what a macro gives cannot stand here";
    MACRO_LIMIT = 723, Error, "macros that do not come to an end";
    TASK_BORROW = 800, Error, "an exclusive borrow for a task";
    SELECT_ARM = 801, Error, "this is no arm of a `select`";
    SELECT_ARMS = 802, Error, "arms of a `select` that do not go together";
    YIELD_PLACE = 803, Error, "`yield` cannot stand here";
    GENERATOR = 804, Error, "the result of a function with `yield`";
    ACTOR = 805, Error, "an actor of an unusable form";
    NOT_AN_EFFECT = 901, Error, "an effect is expected";
    HANDLER_CLAUSES = 902, Error, "a handler's clauses do not fit its effect";
    RESUME_PLACE = 903, Error, "`resume` cannot stand here";
    UNHANDLED_EFFECT = 904, Error, "an effect that nothing handles";
    EFFECT_ROW = 905, Error, "an effect that a `can` does not allow";
    EFFECT_ESCAPES = 906, Error, "a function with an effect is kept where that is not written";
    NOT_A_HANDLER = 907, Error, "`with` needs a handler";
    OPERATION_FORM = 908, Error, "an operation of an unusable form";
    UNSHARED_HANDLER = 909, Error, "a task asks a handler that tasks cannot share";
    BINARY_LAYOUT = 954, Error, "this is no layout";
    BINARY_WIDTH = 955, Error, "widths that do not fit";
    BINARY_ORDER = 956, Error, "parts of a binary type that cannot stand in this order";
    BINARY_MATCH = 957, Error, "a `match` of a binary type that cannot be read";
    BINARY_COMPUTED = 958, Error, "a field that is computed from itself";
    BINARY_FORM = 959, Error, "a binary type or packed struct of an unusable form";
    BORROW_ESCAPES = 1201, Error, "a borrow cannot be kept";
    MUT_BORROW = 1202, Error, "this cannot be borrowed mutably";
    SECOND_BORROW = 1205, Error, "second exclusive borrow";
    SHARED_AND_EXCLUSIVE = 1206, Error, "shared and exclusive at once";
    MUTATED_BORROWED = 1209, Error, "a borrowed variable is changed";
    USED_AFTER_CROSSING = 1210, Error, "a name is used after its value went to another task";
    NOT_SEND = 1211, Error, "a value cannot go to another task";
    CAPTURED_VAR = 1212, Error, "a `var` cannot be used in another task";
    LINEAR_LOST = 1213, Error, "a linear value is not used";
    LINEAR_AGAIN = 1214, Error, "a linear value is used twice";
    LINEAR_PLACE = 1215, Error, "a linear value cannot be here";
    UNSHARED_CAPTURE = 1216, Error, "several tasks would know what can be changed";
    LENT_ESCAPES = 1217, Error, "what is lent to a block leaves it";
    NOT_A_HANDLE = 1218, Error, "only the library has types that tasks share and change";
    UNUSED_NAME = 7201, Warning, "a name is never read";
    UNUSED_RESULT = 7202, Warning, "a result is thrown away";
    UNREACHABLE = 7203, Warning, "code that cannot be reached";
    DEPRECATED = 7204, Warning, "something deprecated is used";
    BARE_GO = 7206, Warning, "a bare `go` outside a scope";
    NEVER_RESUMED = 7207, Warning, "a handler's clause that never resumes";
    CANNOT_READ = 9001, Error, "a file cannot be read";
    NOT_UTF8 = 9002, Error, "a file is not UTF-8";
    FILE_TOO_LARGE = 9003, Error, "a file is too large";
    NO_MAIN = 9004, Error, "there is no `main`";
    TOOL_MISSING = 9005, Error, "a program that is needed is missing";
    TOOL_FAILED = 9006, Error, "another program failed";
    CANNOT_WRITE = 9007, Error, "a file cannot be written";
    UNDEFINED_SYMBOL = 9008, Error, "no library has the function";
    LIBRARY_MISSING = 9009, Error, "a C library is missing";
    INTERPRETED_C = 9010, Error, "the interpreter cannot call C";
    INTERNAL = 9501, Error, "an error in the compiler";
}

impl Code {
    fn entry(self) -> Option<&'static (Code, Severity, &'static str)> {
        ALL.binary_search_by_key(&self, |&(code, ..)| code).ok().map(|i| &ALL[i])
    }

    /// Syntax codes are registered by the parser's crate and are errors.
    pub fn severity(self) -> Severity {
        self.entry().map_or(Severity::Error, |&(_, severity, _)| severity)
    }

    pub fn title(self) -> Option<&'static str> {
        self.entry().map(|&(.., title)| title)
    }

    /// Reads `QZ0200`, `qz200` or `200`.
    pub fn parse(text: &str) -> Option<Code> {
        let digits = text.trim_start_matches(['Q', 'q']).trim_start_matches(['Z', 'z']);
        if digits.len() > 4 { None } else { digits.parse().ok().map(Code) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_given_once_and_in_order() {
        for pair in ALL.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{} stands before {}", pair[0].0, pair[1].0);
        }
    }
}
