//! The programs of the test, one for each place in the grammar where an expression may stand; and the places
//! that no program can reach.

/// One place.
pub(crate) struct Case {
    /// `Node.field`, and `/variation` where one field has several.
    pub(crate) slot: &'static str,
    /// Declarations that it needs; `case_` becomes a prefix of its own.
    pub(crate) top: &'static str,
    /// The body of a function of `c: Calls` that gives an `Int?`; `@` is the hole.
    pub(crate) body: &'static str,
    /// How often the hole runs.
    pub(crate) runs: u32,
    /// What the function gives.
    pub(crate) value: i64,
    /// `?` may stand there.
    pub(crate) may_leave: bool,
    /// What the function gives if there is no value and `?` leaves.
    pub(crate) failing: &'static str,
}

const fn case(slot: &'static str, value: i64, body: &'static str) -> Case {
    Case { slot, top: "", body, runs: 1, value, may_leave: true, failing: "None" }
}

const fn twice(slot: &'static str, value: i64, body: &'static str) -> Case {
    Case { runs: 2, ..case(slot, value, body) }
}

/// Where `?` cannot leave, or would leave something else.
const fn stays(slot: &'static str, value: i64, body: &'static str) -> Case {
    Case { may_leave: false, ..case(slot, value, body) }
}

const fn with_top(slot: &'static str, value: i64, top: &'static str, body: &'static str) -> Case {
    Case { top, may_leave: false, ..case(slot, value, body) }
}

/// Places without a program, and why.
pub(crate) const NONE: &[(&str, &str)] = &[
    ("SourceFile.stray_stmts", "a statement outside of a function is an error"),
    ("VariantDef.discriminant", "a discriminant is not available yet"),
    ("ConstDef.value", "constants are evaluated on their own; they cannot reach a counter"),
    (
        "TypeAlias.predicate",
        "a predicate is made of the library's operators and methods; it cannot reach a counter",
    ),
    ("VarDef.value", "a module's variable is made once for a program; it cannot reach a counter"),
    ("MacroVarExpr.expr", "only in quotes, which are gone after expansion"),
    ("BinaryArray.size", "sizes in binary types know fields and constants; they cannot reach a counter"),
    ("BinaryWord.size", "the same"),
    ("BinaryField.value", "computed fields know the other fields; they cannot reach a counter"),
    ("LiteralPat.literal", "a pattern's literal is no expression to evaluate"),
];

const EFFECT: &str = "effect Case_E\n  def case_op(): Int\nend\n";

pub(crate) const TABLE: &[Case] = &[
    // ---- tasks, generators, effects
    case("AwaitExpr.operand", 5, "Some(await [go do -> 5 end][@ - 1])"),
    case("GoExpr.operand", 14, "t = go add(@, 4)\nSome(await t)"),
    Case { runs: 0, ..stays("GoExpr.operand/block", 1, "t = go do -> @@ end\nSome(await t)") },
    case("SpawnExpr.operand", 14, "t = spawn add(@, 4)\nSome(await t)"),
    with_top(
        "YieldExpr.value",
        1,
        "def case_all(c: Calls): Iterator<Int>\n  yield @\nend\n",
        "Some(case_all(c).to_vec.sum)",
    ),
    stays("ThrowExpr.value", 1, "Some((catch<Int> do throw @ end).err!)"),
    Case {
        may_leave: true,
        ..with_top(
            "WithExpr.handlers",
            4,
            EFFECT,
            "h = handler Case_E\n  def case_op() = resume(4)\nend\nSome(with [h][@ - 1] do case_op() end)",
        )
    },
    with_top(
        "HandlerReturn.value",
        5,
        EFFECT,
        "h = handler Case_E\n  def case_op() = resume(4)\n  return(v) = v + @\nend\nSome(with h do case_op() end)",
    ),
    case("SelectArm.op", 1, "ch = channel_new<Int>(1)\nselect\n  _ = send(ch, @) => nil\nend\nch.recv()"),
    // ---- declarations
    with_top("FnDef.value", 1, "def case_f(c: Calls): Int = @\n", "Some(case_f(c))"),
    with_top(
        "Param.default",
        13,
        "def case_f(c: Calls, n: Int = @, m: Int = 3): Int = n * 10 + m\n",
        "Some(case_f(c))",
    ),
    with_top(
        "Param.default/method",
        3,
        "struct Case_Own\n  n: Int\n  def at(self, c: Calls, k: Int = @): Int = self.n + k\nend\n",
        "Some(Case_Own { n: 2 }.at(c))",
    ),
    Case {
        runs: 0,
        ..with_top(
            "FieldDef.default",
            12,
            "struct Case_S\n  n: Int = @@\n  m: Int\nend\n",
            "Some(Case_S { m: 2 }.n * 10 + 2)",
        )
    },
    // ---- statements
    case("Block.stmts", 7, "@\nSome(7)"),
    case("Block.stmts/last", 1, "if true\n  Some(@)\nelse\n  nil\nend"),
    case("VarStmt.value", 1, "var x = @\nx += 0\nSome(x)"),
    case("TypedBindStmt.value", 1, "x: Int = @\nSome(x)"),
    case("AssignStmt.value", 1, "var x = 9\nx = @\nSome(x)"),
    case("AssignStmt.value/new", 1, "x = @\nSome(x)"),
    case("AssignStmt.place", 5, "xs = [1, 2, 3]\nxs[@] = 5\nSome(xs[1])"),
    case("AssignStmt.value/field", 1, "b = Box { n: 0 }\nb.n = @\nSome(b.n)"),
    case("CompoundAssignStmt.value", 8, "var x = 7\nx += @\nSome(x)"),
    case("CompoundAssignStmt.value/default", 1, "var x: Int? = nil\nx ??= Some(@)\nx"),
    case("CompoundAssignStmt.value/element", 11, "xs = [10]\nxs[0] += @\nSome(xs[0])"),
    case("CompoundAssignStmt.place", 22, "xs = [10, 20]\nxs[@] += 2\nSome(xs[1])"),
    case(
        "CompoundAssignStmt.place/field",
        9,
        "bs = [Box { n: 5 }, Box { n: 6 }]\nbs[@].n += 3\nSome(bs[1].n)",
    ),
    case("DestructureStmt.value", 12, "(a, b) = (@, 2)\nSome(a * 10 + b)"),
    case("PlacePat.place", 57, "xs = [1, 2, 3]\n(a, xs[@]) = (5, 7)\nSome(a * 10 + xs[1])"),
    stays("DeferStmt.stmt", 4, "x = 4\ndefer @\nSome(x)"),
    stays("DeferStmt.stmt/assign", 0, "b = Box { n: 0 }\ndefer b.n += @\nSome(b.n)"),
    case("GuardStmt.stmt", 1, "var x = 0\nx = @ if c.n == 0\nSome(x)"),
    case("GuardStmt.stmt/return", 1, "return Some(@) if c.n == 0\nnil"),
    case("GuardStmt.condition", 5, "var x = 0\nx = 5 if @ == 1\nSome(x)"),
    case("GuardStmt.condition/unless", 5, "var x = 5\nx = 6 unless @ == 1\nSome(x)"),
    // ---- operands
    case("Interp.expr", 3, "s = \"a#{@}b\"\nSome(s.size)"),
    case("Interp.expr/nested", 5, "s = \"a#{\"[#{@}]\"}b\"\nSome(s.size)"),
    case("Interp.expr/heredoc", 4, "s = <<~X\n  a#{@}b\n  X\nSome(s.size)"),
    case("Interp.expr/triple", 3, "s = \"\"\"\n  a#{@}b\n  \"\"\"\nSome(s.size)"),
    case("ParenExpr.expr", 3, "Some(((@) + 2))"),
    case("TupleExpr.elems", 1, "t = (0, @, 2)\nSome(t.1)"),
    case("VecExpr.elems", 4, "xs = [1, @, 2]\nSome(xs.sum)"),
    case("RepeatExpr.elem", 3, "xs = [@; 3]\nSome(xs.sum)"),
    case("RepeatExpr.count", 9, "xs = [9; @]\nSome(xs.sum)"),
    twice("VecCompExpr.elem", 3, "xs = [@ + i for i in 0..2]\nSome(xs.sum)"),
    Case { runs: 2, ..case("MapCompExpr.key", 2, "m = { @ + i => 0 for i in 0..2 }\nSome(m.size)") },
    twice("MapCompExpr.value", 2, "m = { i => @ for i in 0..2 }\nSome(m.values.sum)"),
    case("CompFor.iter", 6, "xs = [i for i in @..4]\nSome(xs.sum)"),
    Case { runs: 3, ..case("CompIf.condition", 1, "xs = [i for i in 0..3 if i == @]\nSome(xs.sum)") },
    case("MapEntry.key", 8, "m = { @ => 8 }\nSome(m[1])"),
    case("MapEntry.value", 1, "m = { 4 => @ }\nSome(m[4])"),
    case("FieldInit.value", 1, "b = Box { n: @ }\nSome(b.n)"),
    case("FieldInit.value/with", 1, "b = Box { n: 4 }\nd = b.with { n: @ }\nSome(d.n)"),
    case("FieldInit.value/record", 1, "r = { n: @ }\nSome(r.n)"),
    case("RecordSpread.expr", 1, "r = { ...{ n: @ }, m: 2 }\nSome(r.n)"),
    case("FieldInit.value/value", 6, "p = Pair { x: @ }\nSome(p.x + p.y)"),
    case("UpdateExpr.base", 13, "d = [Box { n: 0 }, Box { n: 3 }][@].with { xs: [10] }\nSome(d.n + d.xs[0])"),
    case("UnaryExpr.operand", -1, "Some(-@)"),
    case("UnaryExpr.operand/not", 3, "x = not (@ == 2)\nSome(if x then 3 else 4 end)"),
    case("UnaryExpr.operand/bits", -2, "Some(~@)"),
    with_top(
        "BorrowExpr.operand",
        9,
        "def case_up(n: &mut Int)\n  n += 4\nend\n",
        "xs = [3, 5]\ncase_up(&mut xs[@])\nSome(xs[1])",
    ),
    case("TryExpr.operand", 1, "Some(try (Some(@)))"),
    case("BinaryExpr.lhs", 6, "Some(@ + 5)"),
    case("BinaryExpr.rhs", 6, "Some(5 + @)"),
    case("BinaryExpr.lhs/and", 2, "Some(if @ == 1 and true then 2 else 3 end)"),
    case("BinaryExpr.rhs/and", 2, "Some(if true and @ == 1 then 2 else 3 end)"),
    case("BinaryExpr.rhs/or", 2, "Some(if false or @ == 1 then 2 else 3 end)"),
    case("BinaryExpr.lhs/default", 1, "Some(Some(@) ?? 9)"),
    case("BinaryExpr.rhs/default", 1, "x: Int? = nil\nSome(x ?? @)"),
    case("BinaryExpr.lhs/pipe", 12, "Some(@ |> add(2))"),
    case("BinaryExpr.rhs/pipe", 21, "Some(2 |> add(@))"),
    case("BinaryExpr.rhs/compare", 2, "Some(if 1 <= @ then 2 else 3 end)"),
    case("BinaryExpr.rhs/in", 2, "Some(if 1 in [@] then 2 else 3 end)"),
    case("BinaryExpr.rhs/power", 7, "Some(7 ** @)"),
    case("BinaryExpr.rhs/wrapping", 8, "Some(7 &+ @)"),
    case("BinaryExpr.rhs/append", 1, "xs: Vec<Int> = []\nxs << @\nSome(xs[0])"),
    case("RangeExpr.start", 3, "Some((@..3).to_vec.sum)"),
    case("RangeExpr.end", 10, "Some([10, 20][0..@].sum)"),
    case("RangeExpr.end/inclusive", 30, "Some([10, 20][0..=@].sum)"),
    case("RangeStep.expr", 6, "Some((0..4 step @).to_vec.sum)"),
    case("IsExpr.expr", 1, "Some(if Some(@) is Some(n) then n else 0 end)"),
    case("CastExpr.expr", 1, "x = @ as U8\nSome(x as Int)"),
    case("CastExpr.expr/try", 1, "Some((@ try_as U8)! as Int)"),
    case("CastExpr.expr/wrapping", 1, "Some((@ wrapping_as U8) as Int)"),
    // ---- calls
    case("CallExpr.callee", 50, "fs = [(n: Int) -> n, (n: Int) -> n * 10]\nSome((fs[@])(5))"),
    case("MethodCallExpr.receiver", 3, "Some((@).max(3))"),
    case("MethodCallExpr.receiver/safe", 3, "Some(@)?.max(3)"),
    case("FieldExpr.receiver", 6, "Some(Box { n: @ + 5 }.n)"),
    case("FieldExpr.receiver/safe", 1, "Some(Box { n: @ })?.n"),
    case("TupleIndexExpr.base", 1, "Some((@, 2).0)"),
    case("ArgList.args", 12, "Some(add(@, 2))"),
    case("ArgList.args/second", 21, "Some(add(2, @))"),
    case("ArgList.args/rest", 6, "Some(sum(2, 3, @))"),
    case("ArgList.args/method", 9, "Some(Box { n: 8 }.plus(@))"),
    case("ArgList.args/variant", 1, "x = Some(@)\nx"),
    case("NamedArg.value", 12, "Some(add(b: 2, a: @))"),
    case("SpreadArg.expr", 6, "Some(sum(*[@, 2, 3]))"),
    case("SpreadArg.expr/tuple", 12, "Some(add(*(@, 2)))"),
    case("IndexExpr.base", 1, "Some([@][0])"),
    case("PropagateExpr.operand", 1, "Some(Some(@)?)"),
    case("UnwrapExpr.operand", 1, "Some(Some(@)!)"),
    case("LambdaExpr.body", 1, "apply(-> Some(@))"),
    case("LambdaExpr.body/block", 3, "x = apply do\n  y = @\n  Some(y + 2)\nend\nx"),
    case("LambdaExpr.body/brace", 1, "apply() { Some(@) }"),
    stays("LambdaExpr.body/assign", 1, "var x = 0\nset = -> x = @\nset()\nSome(x)"),
    // ---- control
    case("IfExpr.condition", 2, "if @ == 1\n  Some(2)\nelse\n  nil\nend"),
    case("UnlessExpr.condition", 3, "unless @ == 1\n  nil\nelse\n  Some(3)\nend"),
    case("ElsifClause.condition", 2, "if false\n  nil\nelsif @ == 1\n  Some(2)\nelse\n  nil\nend"),
    case("MatchExpr.subject", 2, "match @\n  1 => Some(2)\n  _ => nil\nend"),
    case("MatchGuard.condition", 2, "match 5\n  n if n == 4 + @ => Some(2)\n  _ => nil\nend"),
    case("Block.stmts/arm", 1, "match 5\n  5 => Some(@)\n  _ => nil\nend"),
    case("Block.stmts/arm_block", 3, "match 5\n  5 =>\n    x = @\n    Some(x + 2)\n  _ => nil\nend"),
    Case { runs: 3, ..case("WhileExpr.condition", 2, "var i = 0\nwhile i < 1 + @\n  i += 1\nend\nSome(i)") },
    Case { runs: 3, ..case("UntilExpr.condition", 2, "var i = 0\nuntil i == 1 + @\n  i += 1\nend\nSome(i)") },
    Case { runs: 3, ..case("Block.stmts/while", 3, "var i = 0\nwhile i < 3\n  i += @\nend\nSome(i)") },
    case("ForExpr.iter", 3, "var s = 0\nfor i in [@, 2]\n  s += i\nend\nSome(s)"),
    Case { runs: 3, ..case("Block.stmts/for", 3, "var s = 0\nfor i in 0..3\n  s += @\nend\nSome(s)") },
    case("Block.stmts/loop", 3, "loop\n  x = @\n  return Some(x + 2)\nend"),
    case("ReturnExpr.value", 1, "return Some(@)"),
    case("BreakExpr.value", 1, "x = loop\n  break @\nend\nSome(x)"),
    case("NextExpr.value", 2, "xs = [5].map do n ->\n  next 2\nend\nSome(xs[0] + @ - 1)"),
];
