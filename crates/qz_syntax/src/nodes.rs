//! Which kinds of node are there, and what does each hold? The one table from which the node half of
//! [`SyntaxKind`](crate::SyntaxKind), the typed structs and their accessors are generated.
//!
//! Each field says where its value stands among the *direct* children of the node:
//!
//! | form | accessor |
//! |---|---|
//! | `first(T)` | the first child that is a `T` |
//! | `nth(T, n)` | the `n`-th child that is a `T`, counting from 0 |
//! | `all(T)` | every child that is a `T`, in order |
//! | `before(T, A \| B)` | the first child that is a `T`, standing before the token `A` or `B` |
//! | `after(T, A \| B)` | the first child that is a `T`, standing after the token `A` or `B` |
//! | `token(K)` | the first token of kind `K` |
//! | `tokens(K)` | every token of kind `K` |
//! | `token_after(K, A)` | the first token of kind `K` standing after the token `A` |
//! | `has(K)` | whether a token of kind `K` is there |
//!
//! A slot that the grammar requires always holds a node: where the text has none, the parser puts
//! `MissingExpr`, `MissingPat` or `MissingType`, so that `nth` never counts wrong. Everything still comes as an
//! `Option`, because names and bodies may be missing.

/// Calls the macro `$callback` with the table of nodes.
macro_rules! for_each_node {
    ($callback:ident) => {
        $callback! {
            // ------------------------------------------------------------------------- files and items

            /// A whole file. Statements are not allowed here, but are kept (and reported) where they stand.
            SourceFile {
                items: all(Item),
                /// Statements at module level; the parser has reported them.
                stray_stmts: all(Stmt),
            }
            /// `@name` or `@name(args)` before an item, a field, a variant or a parameter.
            Attr {
                name: token(Ident),
                args: first(ArgList),
            }
            /// `import a/b`, `import a/b as c`, `import f, T as U from a/b`, `import * from a/b`.
            ImportDef {
                attrs: all(Attr),
                is_pub: has(PubKw),
                is_wildcard: has(Star),
                names: all(ImportName),
                path: first(ImportPath),
                alias: token_after(Ident, AsKw),
            }
            /// `std/io/file`.
            ImportPath {
                segments: tokens(Ident),
            }
            /// `f` or `f as g` in an import list.
            ImportName {
                name: token(Ident),
                alias: token_after(Ident, AsKw),
            }
            /// `def name<T>(params): Ret can Row where … body end`, `def name(params) = expr`, or a header alone.
            FnDef {
                attrs: all(Attr),
                is_private: has(PrivateKw),
                is_pub: has(PubKw),
                is_unsafe: has(UnsafeKw),
                is_const: has(ConstKw),
                extern_abi: first(ExternAbi),
                name: token(Ident),
                generics: first(GenericParams),
                params: first(ParamList),
                ret: first(TypeExpr),
                can: first(CanClause),
                where_clause: first(WhereClause),
                /// The block form's body.
                body: first(Block),
                /// The `= expr` form's value. Neither a body nor a value: the definition is abstract.
                value: first(Expr),
            }
            /// `extern "C"`, `extern "C" variadic`.
            ExternAbi {
                abi: first(StringExpr),
                is_variadic: has(VariadicKw),
            }
            /// `extern "C" … end`: declarations of foreign functions that belong together.
            ExternBlock {
                attrs: all(Attr),
                is_private: has(PrivateKw),
                abi: first(ExternAbi),
                items: all(Item),
            }
            /// `(self, a: Int, *rest: Int)`.
            ParamList {
                self_param: first(SelfParam),
                params: all(Param),
                /// `...` at the end of an extern definition's list.
                is_variadic: has(DotDotDot),
            }
            /// `self`, `&self`, `&mut self`.
            SelfParam {
                is_ref: has(Amp),
                is_mut: has(MutKw),
            }
            /// `name: Type = default`, `*rest: Int`, `&mut x: Int`, or a pattern in a clause. Also a lambda's parameter.
            Param {
                attrs: all(Attr),
                is_rest: has(Star),
                is_ref: has(Amp),
                is_mut: has(MutKw),
                pat: first(Pat),
                ty: first(TypeExpr),
                default: first(Expr),
            }
            /// `<T: Eq + Ord, U>`.
            GenericParams {
                params: all(GenericParam),
            }
            /// `T: Eq + Ord = Default`.
            GenericParam {
                name: token(Ident),
                /// `F<_>`: there are no such parameters, which is said later.
                of_types: first(TypeArgs),
                bounds: first(BoundList),
                default: first(TypeExpr),
            }
            /// `A + B<C>`.
            BoundList {
                bounds: all(TypeExpr),
            }
            /// `can Log + Throws<E>`.
            CanClause {
                effects: all(TypeExpr),
            }
            /// `where T: A + B, U: C`.
            WhereClause {
                preds: all(WherePred),
            }
            /// `T: A + B`.
            WherePred {
                ty: first(TypeExpr),
                bounds: first(BoundList),
            }
            /// `struct Name<T> fields and methods end`, `linear struct …`.
            StructDef {
                attrs: all(Attr),
                is_private: has(PrivateKw),
                is_pub: has(PubKw),
                is_linear: has(LinearKw),
                name: token(Ident),
                generics: first(GenericParams),
                where_clause: first(WhereClause),
                fields: all(FieldDef),
                items: all(Item),
            }
            /// `name: Type = default`.
            FieldDef {
                attrs: all(Attr),
                is_private: has(PrivateKw),
                name: token(Ident),
                ty: first(TypeExpr),
                default: first(Expr),
            }
            /// `enum Name<T> variants and methods end`.
            EnumDef {
                attrs: all(Attr),
                is_private: has(PrivateKw),
                is_pub: has(PubKw),
                name: token(Ident),
                generics: first(GenericParams),
                where_clause: first(WhereClause),
                variants: all(VariantDef),
                items: all(Item),
            }
            /// `Circle(r: F64)`, `Rect(F64, F64)`, `Empty`, `Bit = 4`.
            VariantDef {
                attrs: all(Attr),
                name: token(Ident),
                payload: first(Payload),
                discriminant: first(Expr),
            }
            /// `(r: F64, F64)`.
            Payload {
                fields: all(PayloadField),
            }
            /// `r: F64` or `F64`.
            PayloadField {
                name: token(Ident),
                ty: first(TypeExpr),
            }
            /// `trait Name<T>: Super + Other … end`.
            TraitDef {
                attrs: all(Attr),
                is_private: has(PrivateKw),
                is_pub: has(PubKw),
                name: token(Ident),
                generics: first(GenericParams),
                supertraits: first(BoundList),
                where_clause: first(WhereClause),
                items: all(Item),
            }
            /// `impl<T> Trait for Type … end`, `impl Type … end`, `impl !Trait for Type end`.
            ImplDef {
                attrs: all(Attr),
                is_negative: has(Bang),
                generics: first(GenericParams),
                /// The trait, if there is one.
                trait_type: before(TypeExpr, ForKw),
                /// The only type, or the one after `for`: see `ImplDef::self_type`.
                for_type: after(TypeExpr, ForKw),
                where_clause: first(WhereClause),
                items: all(Item),
            }
            /// `extend<T> Type … end`.
            ExtendDef {
                attrs: all(Attr),
                generics: first(GenericParams),
                ty: first(TypeExpr),
                where_clause: first(WhereClause),
                items: all(Item),
            }
            /// `type Name<T> = Type`; in a trait also `type Name: Bound`, in an `impl` the associated type's value.
            /// With a predicate, `type Port = Int where it > 0`, a type of its own.
            TypeAlias {
                attrs: all(Attr),
                is_private: has(PrivateKw),
                is_pub: has(PubKw),
                name: token(Ident),
                generics: first(GenericParams),
                bounds: first(BoundList),
                ty: first(TypeExpr),
                predicate: first(Expr),
            }
            /// `newtype Meters = F64`.
            NewtypeDef {
                attrs: all(Attr),
                is_private: has(PrivateKw),
                is_pub: has(PubKw),
                name: token(Ident),
                generics: first(GenericParams),
                ty: first(TypeExpr),
            }
            /// `const N: Int = 4`; in a trait the value may be missing.
            ConstDef {
                attrs: all(Attr),
                is_private: has(PrivateKw),
                is_pub: has(PubKw),
                name: token(Ident),
                ty: first(TypeExpr),
                value: first(Expr),
            }
            /// `static_assert(cond, "message")`: checked while the program is compiled.
            StaticAssert {
                attrs: all(Attr),
                args: first(ArgList),
            }
            /// `var counter = Atomic.new(0)` at module level (or an actor's state).
            VarDef {
                attrs: all(Attr),
                is_private: has(PrivateKw),
                is_pub: has(PubKw),
                name: token(Ident),
                ty: first(TypeExpr),
                value: first(Expr),
            }
            /// `effect Log<T> operations end`.
            EffectDef {
                attrs: all(Attr),
                is_private: has(PrivateKw),
                is_pub: has(PubKw),
                name: token(Ident),
                generics: first(GenericParams),
                items: all(Item),
                /// `effect Name = A + B`: a name for several.
                row: first(TypeExpr),
            }
            /// `actor Counter<T> state and handlers end`; the state is fields and `var`s.
            ActorDef {
                attrs: all(Attr),
                is_private: has(PrivateKw),
                is_pub: has(PubKw),
                name: token(Ident),
                generics: first(GenericParams),
                where_clause: first(WhereClause),
                fields: all(FieldDef),
                items: all(Item),
            }
            /// `macro name(args) body end`.
            MacroDef {
                attrs: all(Attr),
                is_private: has(PrivateKw),
                is_pub: has(PubKw),
                name: token(Ident),
                params: first(ParamList),
                body: first(Block),
            }
            /// `packed struct(u32) Name … end`.
            PackedStructDef {
                attrs: all(Attr),
                is_private: has(PrivateKw),
                is_pub: has(PubKw),
                name: token(Ident),
                repr: first(TypeExpr),
                fields: all(FieldDef),
                items: all(Item),
            }
            /// `type P = binary { … }`.
            BinaryDef {
                attrs: all(Attr),
                is_private: has(PrivateKw),
                is_pub: has(PubKw),
                name: token(Ident),
                generics: first(GenericParams),
                members: all(BinaryMember),
            }
            /// `name: layout`, `name: layout = value`, `name: match tag … end`.
            BinaryField {
                name: token(Ident),
                layout: first(BinaryType),
                choice: first(BinaryMatch),
                value: first(Expr),
            }
            /// `match tag … end` among fields.
            BinaryMatch {
                tag: token(Ident),
                arms: all(BinaryArm),
            }
            /// `pat => { … }`, `pat => Variant { … }`.
            BinaryArm {
                pat: first(Pat),
                variant: token(Ident),
                members: all(BinaryMember),
            }
            /// `u16be`, `Header`, `bytes(n)`.
            BinaryWord {
                name: first(TypeExpr),
                size: first(Expr),
            }
            /// `[u16; n]`, `[Section]`.
            BinaryArray {
                elem: first(BinaryType),
                size: first(Expr),
            }
            /// Tokens the parser skipped after reporting them. Never part of anything else.
            Error {}

            // --------------------------------------------------------------------------------- statements

            /// A list of statements: a body between its header and its `end`, or the one statement of a short form.
            Block {
                stmts: all(Stmt),
            }
            /// `var x = e`, `var x: T = e`, `var (a, b) = e`.
            VarStmt {
                pat: first(Pat),
                ty: first(TypeExpr),
                value: first(Expr),
            }
            /// `x: T = e`.
            TypedBindStmt {
                name: token(Ident),
                ty: first(TypeExpr),
                value: first(Expr),
            }
            /// `place = value`. A bare name binds or assigns: name resolution knows.
            AssignStmt {
                place: nth(Expr, 0),
                value: nth(Expr, 1),
            }
            /// `place += value` and its kin; see `CompoundAssignStmt::op`.
            CompoundAssignStmt {
                place: nth(Expr, 0),
                value: nth(Expr, 1),
            }
            /// `(a, b) = e`, `(a, b): (Int, String) = e`, `Point { x, y } = e`, `[first, *rest] = e`.
            DestructureStmt {
                pat: first(Pat),
                ty: first(TypeExpr),
                value: first(Expr),
            }
            /// `defer stmt`.
            DeferStmt {
                stmt: first(Stmt),
            }
            /// `stmt if cond`, `stmt unless cond`.
            GuardStmt {
                stmt: nth(Stmt, 0),
                is_unless: has(UnlessKw),
                condition: after(Expr, IfKw | UnlessKw),
            }

            // -------------------------------------------------------------------------------- expressions

            /// An expression that the text lacks (or that nested too deep).
            MissingExpr {}
            /// A number, character, symbol, raw string, regex, `true`, `false` or `nil`: see `LiteralExpr::kind`.
            LiteralExpr {}
            /// `"text #{e}"` or `"""…"""`: see `StringExpr::parts`.
            StringExpr {
                start: token(StrStart),
                is_closed: has(StrEnd),
            }
            /// `#{e}` in a string.
            Interp {
                expr: first(Expr),
            }
            /// `<<~NAME`; its text stands after the line: see `HeredocExpr::body`.
            HeredocExpr {
                start: token(HeredocStart),
            }
            /// A heredoc's lines and its closing line. Stands where the text has it, among anyone's children.
            HeredocBody {
                end: token(HeredocEnd),
            }
            /// `name`, `a::b`, `Vec<Int>`, `Shape::Circle`: see `PathExpr::segments`.
            PathExpr {}
            /// `self`.
            SelfExpr {}
            /// `(e)`.
            ParenExpr {
                expr: first(Expr),
            }
            /// `()`, `(a,)`, `(a, b)`.
            TupleExpr {
                elems: all(Arg),
            }
            /// `[a, b, *rest]`.
            VecExpr {
                elems: all(Arg),
            }
            /// `[e; n]`.
            RepeatExpr {
                elem: nth(Expr, 0),
                count: nth(Expr, 1),
            }
            /// `[e for x in xs if c]`.
            VecCompExpr {
                elem: first(Expr),
                clauses: all(CompClause),
            }
            /// `{ k => v for x in xs }`.
            MapCompExpr {
                key: nth(Expr, 0),
                value: nth(Expr, 1),
                clauses: all(CompClause),
            }
            /// `for x in xs` in a comprehension.
            CompFor {
                pats: all(Pat),
                iter: first(Expr),
            }
            /// `if c` in a comprehension.
            CompIf {
                condition: first(Expr),
            }
            /// `{ "a" => 1 }`, `{}`.
            MapExpr {
                entries: all(MapEntry),
            }
            /// `k => v`.
            MapEntry {
                key: nth(Expr, 0),
                value: nth(Expr, 1),
            }
            /// `{ x: 1, ...r }`.
            RecordExpr {
                fields: all(FieldInit),
                spreads: all(RecordSpread),
            }
            /// `Point { x: 1, y }`.
            StructExpr {
                path: first(PathExpr),
                fields: all(FieldInit),
                spreads: all(RecordSpread),
            }
            /// `p.with { x: 3 }`.
            UpdateExpr {
                base: first(Expr),
                fields: all(FieldInit),
                spreads: all(RecordSpread),
            }
            /// `x: e`, or `x` alone for `x: x`.
            FieldInit {
                name: token(Ident),
                value: first(Expr),
            }
            /// `...r`.
            RecordSpread {
                expr: first(Expr),
            }
            /// `-e`, `~e`, `not e`: see `UnaryExpr::op`.
            UnaryExpr {
                operand: first(Expr),
            }
            /// `&e`, `&mut e`.
            BorrowExpr {
                is_mut: has(MutKw),
                operand: first(Expr),
            }
            /// `try e`.
            TryExpr {
                operand: first(Expr),
            }
            /// `await e`.
            AwaitExpr {
                operand: first(Expr),
            }
            /// `go e`, `go(stack: n) e`.
            GoExpr {
                options: first(ArgList),
                operand: first(Expr),
            }
            /// `spawn e`.
            SpawnExpr {
                operand: first(Expr),
            }
            /// `a + b`, `a |> f`, `a ?? b`, `a and b`, `a in b` …: see `BinaryExpr::op`.
            BinaryExpr {
                lhs: nth(Expr, 0),
                rhs: nth(Expr, 1),
            }
            /// `a..b`, `a..=b`, `a..b step n`; ends are open only in `[]`.
            RangeExpr {
                start: before(Expr, DotDot | DotDotEq),
                is_inclusive: has(DotDotEq),
                end: after(Expr, DotDot | DotDotEq),
                step: first(RangeStep),
            }
            /// `step n`.
            RangeStep {
                expr: first(Expr),
            }
            /// `e is P`.
            IsExpr {
                expr: first(Expr),
                pat: first(Pat),
            }
            /// `e as T`, `e wrapping_as T`, `e try_as T`: see `CastExpr::kind`.
            CastExpr {
                expr: first(Expr),
                ty: first(TypeExpr),
            }
            /// `f(a, b: 1) do … end`, `name "x" do … end`. The callee is never a member access.
            CallExpr {
                callee: first(Expr),
                args: first(ArgList),
                block: first(TrailingBlock),
            }
            /// `x.f(a)`, `x?.f<T>(a) do … end`, `x.f { it }`.
            MethodCallExpr {
                receiver: first(Expr),
                is_safe: has(QuestionDot),
                name: token(Ident),
                type_args: first(TypeArgs),
                args: first(ArgList),
                block: first(TrailingBlock),
            }
            /// `x.name`, `x?.name`: a field, or a method called without parentheses.
            FieldExpr {
                receiver: first(Expr),
                is_safe: has(QuestionDot),
                name: token(Ident),
                type_args: first(TypeArgs),
            }
            /// `t.0`.
            TupleIndexExpr {
                base: first(Expr),
                is_safe: has(QuestionDot),
                index: token(IntNumber),
            }
            /// `(a, *b, c: 1)`; without the parentheses in `name a, b do … end`.
            ArgList {
                args: all(Arg),
            }
            /// `name: e`.
            NamedArg {
                name: token(Ident),
                value: first(Expr),
            }
            /// `*e`.
            SpreadArg {
                expr: first(Expr),
            }
            /// `do x, y -> … end`, after a call or as a value.
            DoBlock {
                params: first(LambdaParams),
                has_arrow: has(Arrow),
                body: first(Block),
            }
            /// `{ it > 2 }` after a call.
            BraceBlock {
                params: first(LambdaParams),
                body: first(Block),
            }
            /// `x -> e`, `(a, b) -> e`, `-> e`. The body is an expression or one assignment.
            LambdaExpr {
                params: first(LambdaParams),
                body: after(Stmt, Arrow),
            }
            /// `x, y` or `(a, b)` before an arrow.
            LambdaParams {
                params: all(Param),
            }
            /// `v[i]`, `v[a..b]`, `Set[1, 2]`: see `IndexExpr::indices`.
            IndexExpr {
                base: first(Expr),
            }
            /// `e?`.
            PropagateExpr {
                operand: first(Expr),
            }
            /// `e!`.
            UnwrapExpr {
                operand: first(Expr),
            }
            /// `$name(args)`, `$module::name(args)`: see `MacroCallExpr::path`. Where declarations stand, too.
            MacroCallExpr {
                args: first(ArgList),
                block: first(TrailingBlock),
            }
            /// `${e}` in a quote. (`$name` is a name like any other.)
            MacroVarExpr {
                expr: first(Expr),
            }
            /// `quote do … end` in a macro: the inside is a tree with holes, and is judged when they are filled.
            QuoteExpr {
                body: first(Block),
            }
            /// `@c("…")` in an expression.
            AtCallExpr {
                name: token(Ident),
                args: first(ArgList),
            }
            /// `if c … elsif d … else … end`.
            IfExpr {
                condition: first(Expr),
                body: first(Block),
                elsifs: all(ElsifClause),
                else_clause: first(ElseClause),
            }
            /// `unless c … else … end`.
            UnlessExpr {
                condition: first(Expr),
                body: first(Block),
                elsifs: all(ElsifClause),
                else_clause: first(ElseClause),
            }
            /// `elsif c …`.
            ElsifClause {
                condition: first(Expr),
                body: first(Block),
            }
            /// `else …`.
            ElseClause {
                body: first(Block),
            }
            /// `match e arms end`.
            MatchExpr {
                subject: first(Expr),
                arms: all(MatchArm),
            }
            /// `pat if guard => body`.
            MatchArm {
                pat: first(Pat),
                guard: first(MatchGuard),
                body: first(Block),
            }
            /// `if cond` of an arm.
            MatchGuard {
                condition: first(Expr),
            }
            /// `while c … end`.
            WhileExpr {
                label: first(Label),
                condition: first(Expr),
                body: first(Block),
            }
            /// `until c … end`.
            UntilExpr {
                label: first(Label),
                condition: first(Expr),
                body: first(Block),
            }
            /// `for x in e … end`, `for i, x in e … end`.
            ForExpr {
                label: first(Label),
                pats: all(Pat),
                iter: first(Expr),
                body: first(Block),
            }
            /// `loop … end`.
            LoopExpr {
                label: first(Label),
                body: first(Block),
            }
            /// `outer:`.
            Label {
                name: token(Ident),
            }
            /// `outer` after `break` or `next`, where a loop of that label is around it.
            LabelRef {
                name: token(Ident),
            }
            /// `return e`.
            ReturnExpr {
                value: first(Expr),
            }
            /// `break`, `break value`, `break outer`, `break outer value`.
            BreakExpr {
                label: first(LabelRef),
                value: first(Expr),
            }
            /// `next`, `next value`, `next outer`.
            NextExpr {
                label: first(LabelRef),
                value: first(Expr),
            }
            /// `yield e`.
            YieldExpr {
                value: first(Expr),
            }
            /// `throw e`.
            ThrowExpr {
                value: first(Expr),
            }
            /// `catch<E> do … end`.
            CatchExpr {
                type_args: first(TypeArgs),
                body: first(Block),
            }
            /// `with h(), g() do … end`.
            WithExpr {
                handlers: all(Expr),
                body: first(Block),
            }
            /// `handler Log … end`.
            HandlerExpr {
                effect: first(TypeExpr),
                items: all(FnDef),
                return_clause: first(HandlerReturn),
            }
            /// `return(v) … end` of a handler.
            HandlerReturn {
                params: first(ParamList),
                body: first(Block),
                value: first(Expr),
            }
            /// `select arms end`.
            SelectExpr {
                arms: all(SelectArm),
            }
            /// `v = recv(ch) => body`, `default => body`.
            SelectArm {
                pat: first(Pat),
                op: first(Expr),
                body: first(Block),
            }
            /// `unsafe do … end`.
            UnsafeExpr {
                body: first(Block),
            }

            // ----------------------------------------------------------------------------------- patterns

            /// A pattern that the text lacks.
            MissingPat {}
            /// `_`.
            WildcardPat {}
            /// `name`: binds.
            NamePat {
                name: token(Ident),
            }
            /// `p.x`, `xs[0]`: assigned, left of `=` only.
            PlacePat {
                place: first(Expr),
            }
            /// `$name(p, …)` where a pattern stands. The arguments are patterns.
            MacroPat {}
            /// `-1`, `'a'`, `"text"`, `true`.
            LiteralPat {
                is_negative: has(Minus),
                literal: first(Expr),
            }
            /// `~r"(?<year>\d+)"`.
            RegexPat {
                regex: token(Regex),
            }
            /// `1..=9`, `'a'..`, `..0`. Ends are `LiteralPat` or `PathPat`.
            RangePat {
                start: before(Pat, DotDot | DotDotEq),
                is_inclusive: has(DotDotEq),
                end: after(Pat, DotDot | DotDotEq),
            }
            /// `None`, `Shape::Empty`, `LIMIT`: see `PathPat::segments`.
            PathPat {}
            /// `Some(x)`, `Shape::Circle(r: x)`, `Fork(first, ..)`.
            VariantPat {
                path: first(PathPat),
                args: all(PatArg),
            }
            /// `r: pat` in a variant pattern.
            NamedPat {
                name: token(Ident),
                pat: first(Pat),
            }
            /// `Point { x, y: 0, .. }`.
            StructPat {
                path: first(PathPat),
                fields: all(FieldPat),
                has_rest: has(DotDot),
                rest: first(RestPat),
            }
            /// `{ x, y: 0, .. }`, `{ x, ...rest }`.
            RecordPat {
                fields: all(FieldPat),
                has_rest: has(DotDot),
                rest: first(RestPat),
            }
            /// `x` or `x: pat` in a struct or record pattern.
            FieldPat {
                name: token(Ident),
                pat: first(Pat),
            }
            /// `(p)`.
            ParenPat {
                pat: first(Pat),
            }
            /// `(a, b)`, `()`.
            TuplePat {
                elems: all(Pat),
            }
            /// `[a, *rest]`.
            VecPat {
                elems: all(Pat),
            }
            /// `*rest`, `*`, `..`; `...rest` in a record.
            RestPat {
                pat: first(Pat),
                is_collected: has(Star),
            }
            /// `A | B`.
            OrPat {
                alts: all(Pat),
            }
            /// `p as name`.
            AsPat {
                pat: first(Pat),
                name: token(Ident),
            }
            /// `n: Int | String`.
            TypePat {
                pat: first(Pat),
                ty: first(TypeExpr),
            }

            // -------------------------------------------------------------------------------------- types

            /// A type that the text lacks.
            MissingType {}
            /// `Int`, `Vec<Int>`, `a::T`, `Self`: see `PathType::segments`.
            PathType {}
            /// `<Int, Item = String>`.
            TypeArgs {
                args: all(TypeExpr),
                named: all(NamedTypeArg),
            }
            /// `Item = String`.
            NamedTypeArg {
                name: token(Ident),
                ty: first(TypeExpr),
            }
            /// `T?`.
            OptionType {
                inner: first(TypeExpr),
            }
            /// `()`, `(A, B)`.
            TupleType {
                elems: all(TypeExpr),
            }
            /// `(A | B)`.
            ParenType {
                inner: first(TypeExpr),
            }
            /// `Fn(A, B): R can E`.
            FnType {
                params: first(FnTypeParams),
                ret: first(TypeExpr),
                can: first(CanClause),
            }
            /// `(A, B)` of a function type.
            FnTypeParams {
                types: all(TypeExpr),
            }
            /// `A + B`: several effects, where a type argument or a name stands for a row.
            EffectSumType {
                effects: all(TypeExpr),
            }
            /// `A | B`.
            UnionType {
                members: all(TypeExpr),
            }
            /// `A & B`.
            IntersectionType {
                members: all(TypeExpr),
            }
            /// `{ x: Int, ...r }`.
            RecordType {
                fields: all(RecordTypeField),
                rest: first(RowVar),
            }
            /// `x: Int`.
            RecordTypeField {
                name: token(Ident),
                ty: first(TypeExpr),
            }
            /// `...r` or `...`.
            RowVar {
                name: token(Ident),
            }
            /// `dyn T & Send`.
            DynType {
                bound: first(TypeExpr),
            }
            /// `impl T`.
            ImplType {
                bound: first(TypeExpr),
            }
            /// `&T`, `&mut T`.
            RefType {
                is_mut: has(MutKw),
                inner: first(TypeExpr),
            }
            /// `!`.
            NeverType {}
            /// `_`.
            InferType {}
            /// `$name(T, …)` where a type stands. The arguments are types.
            MacroType {}
        }
    };
}

/// Calls the macro `$callback` with the families of nodes that may stand in one place.
macro_rules! for_each_family {
    ($callback:ident) => {
        $callback! {
            /// What may stand at module level or in the body of a type.
            Item {
                ImportDef FnDef StructDef EnumDef TraitDef ImplDef ExtendDef TypeAlias NewtypeDef ConstDef StaticAssert VarDef
                EffectDef ActorDef MacroDef PackedStructDef BinaryDef ExternBlock
            }
            /// A statement; most are expressions.
            Stmt {
                VarStmt TypedBindStmt AssignStmt CompoundAssignStmt DestructureStmt DeferStmt GuardStmt
                | Expr
            }
            /// An expression.
            Expr {
                MissingExpr LiteralExpr StringExpr HeredocExpr PathExpr SelfExpr ParenExpr TupleExpr VecExpr RepeatExpr
                VecCompExpr MapCompExpr MapExpr RecordExpr StructExpr UpdateExpr UnaryExpr BorrowExpr TryExpr AwaitExpr
                GoExpr SpawnExpr BinaryExpr RangeExpr IsExpr CastExpr CallExpr MethodCallExpr FieldExpr TupleIndexExpr
                DoBlock LambdaExpr IndexExpr PropagateExpr UnwrapExpr MacroCallExpr MacroVarExpr QuoteExpr AtCallExpr IfExpr
                UnlessExpr MatchExpr WhileExpr UntilExpr ForExpr LoopExpr ReturnExpr BreakExpr NextExpr YieldExpr
                ThrowExpr CatchExpr WithExpr HandlerExpr SelectExpr UnsafeExpr
            }
            /// An argument, or an element of a vector or tuple.
            Arg {
                NamedArg SpreadArg
                | Expr
            }
            /// A block after a call.
            TrailingBlock {
                DoBlock BraceBlock
            }
            /// A clause of a comprehension.
            CompClause {
                CompFor CompIf
            }
            /// A pattern.
            Pat {
                MissingPat WildcardPat NamePat LiteralPat RegexPat RangePat PathPat VariantPat StructPat RecordPat
                ParenPat TuplePat VecPat RestPat OrPat AsPat TypePat PlacePat MacroPat
            }
            /// An argument of a variant pattern.
            PatArg {
                NamedPat
                | Pat
            }
            /// A part of a binary type.
            BinaryMember {
                BinaryField BinaryMatch
            }
            /// How a part of a binary type is laid out.
            BinaryType {
                BinaryWord BinaryArray
            }
            /// A type as written.
            TypeExpr {
                MissingType PathType OptionType TupleType ParenType FnType UnionType IntersectionType RecordType DynType
                EffectSumType ImplType RefType NeverType InferType MacroType
            }
        }
    };
}
