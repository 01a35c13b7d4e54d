//! Does the typed view find what stages ask for? Accessors whose answer is not plain from the table.

use crate::ast::{
    AstNode, BinaryExpr, BinaryOp, BreakExpr, CastExpr, CastKind, Expr, FnDef, ForExpr, HeredocExpr, ImplDef,
    ImportDef, IndexExpr, Item, LambdaExpr, LiteralKind, MatchArm, Pat, PathExpr, RangeExpr, SourceFile,
    Stmt, StringExpr, StructDef, UnaryExpr, UnaryOp,
};
use crate::{Parse, parse};

struct Source {
    text: String,
    parse: Parse,
}

impl Source {
    fn file(text: &str) -> Source {
        Source { text: text.to_owned(), parse: parse(text) }
    }

    fn body(text: &str) -> Source {
        Source::file(&format!("def f\n{text}\nend\n"))
    }

    /// The first node of a kind.
    fn first<'t, T: AstNode<'t>>(&'t self) -> T {
        let root = self.parse.tree.root(&self.text);
        root.descendants().find_map(T::cast).expect("a node of that kind")
    }

    fn all<'t, T: AstNode<'t>>(&'t self) -> Vec<T> {
        self.parse.tree.root(&self.text).descendants().filter_map(T::cast).collect()
    }
}

fn text<'t>(node: impl AstNode<'t>) -> &'t str {
    node.syntax().text()
}

#[test]
fn files_and_docs() {
    let source = Source::file(
        "##! module\n\n## one\n\n## two\n## three\n@a\ndef f = 1\n\n## field\nstruct P\n  ## x\n  x: Int ## not\nend\n",
    );
    let file: SourceFile<'_> = source.first();
    assert_eq!(file.module_docs().map(|t| t.text()).collect::<Vec<_>>(), ["##! module"]);
    let items: Vec<Item<'_>> = file.items().collect();
    let docs = |item: Item<'_>| item.syntax().doc_comments().map(|t| t.text().to_owned()).collect::<Vec<_>>();
    assert_eq!(docs(items[0]), ["## two", "## three"]);
    assert_eq!(docs(items[1]), ["## field"]);
    let def: StructDef<'_> = source.first();
    let field = def.fields().next().expect("a field");
    assert_eq!(field.syntax().doc_comments().count(), 1);
    assert_eq!(text(field), "x: Int");
    assert_eq!(text(items[0]), "@a\ndef f = 1");
}

#[test]
fn imports() {
    let source = Source::file("import f as g, T from a/b\nimport c as d\nimport * from e\n");
    let imports: Vec<ImportDef<'_>> = source.all();
    let names: Vec<_> =
        imports[0].names().map(|n| (n.name().map(|t| t.text()), n.alias().map(|t| t.text()))).collect();
    assert_eq!(names, [(Some("f"), Some("g")), (Some("T"), None)]);
    let path = imports[0].path().expect("a path");
    assert_eq!(path.segments().map(|t| t.text()).collect::<Vec<_>>(), ["a", "b"]);
    assert!(imports[0].alias().is_none() && !imports[0].is_wildcard());
    assert_eq!(imports[1].alias().map(|t| t.text()), Some("d"));
    assert!(imports[2].is_wildcard());
}

#[test]
fn functions() {
    let source = Source::file("def f<T>(self, x: Int = 1, *r): T can E where T: A = x\n");
    let def: FnDef<'_> = source.first();
    assert_eq!(def.name().map(|t| t.text()), Some("f"));
    let params = def.params().expect("parameters");
    assert!(params.self_param().is_some_and(|p| !p.is_ref()));
    let [x, r] = params.params().collect::<Vec<_>>()[..] else { panic!("two parameters") };
    assert_eq!(x.default().map(text), Some("1"));
    assert!(r.is_rest() && matches!(r.pat(), Some(Pat::NamePat(_))));
    assert_eq!(def.ret().map(text), Some("T"));
    assert_eq!(def.can().map(text), Some("can E"));
    assert_eq!(def.value().map(text), Some("x"));
    assert!(def.body().is_none());
}

#[test]
fn impls() {
    let source = Source::file("impl P end\nimpl A for B end\nimpl !Send for C end\n");
    let impls: Vec<ImplDef<'_>> = source.all();
    assert_eq!((impls[0].implemented_trait().map(text), impls[0].self_type().map(text)), (None, Some("P")));
    assert_eq!(
        (impls[1].implemented_trait().map(text), impls[1].self_type().map(text)),
        (Some("A"), Some("B"))
    );
    assert!(impls[2].is_negative() && impls[2].self_type().map(text) == Some("C"));
}

#[test]
fn paths() {
    let source = Source::body("a::Vec<Int>::new(x)");
    let path: PathExpr<'_> = source.first();
    let segments: Vec<_> = path.segments().map(|s| (s.name.text(), s.type_args.map(text))).collect();
    assert_eq!(segments, [("a", None), ("Vec", Some("<Int>")), ("new", None)]);
    assert!(path.single_name().is_none());
    let paths: Vec<PathExpr<'_>> = source.all();
    assert_eq!(paths[1].single_name().map(|t| t.text()), Some("x"));
}

#[test]
fn operators() {
    let source = Source::body("a and -b\nx wrapping_as T");
    let binary: BinaryExpr<'_> = source.first();
    assert_eq!(
        (binary.op(), binary.lhs().map(text), binary.rhs().map(text)),
        (Some(BinaryOp::And), Some("a"), Some("-b"))
    );
    assert_eq!(source.first::<UnaryExpr<'_>>().op(), Some(UnaryOp::Neg));
    assert_eq!(source.first::<CastExpr<'_>>().kind(), CastKind::Wrapping);
}

#[test]
fn ranges_and_indexes() {
    let source = Source::body("v[..b]\nv[a..]");
    let ranges: Vec<RangeExpr<'_>> = source.all();
    assert_eq!((ranges[0].start().map(text), ranges[0].end().map(text)), (None, Some("b")));
    assert_eq!((ranges[1].start().map(text), ranges[1].end().map(text)), (Some("a"), None));
    let index: IndexExpr<'_> = source.first();
    assert_eq!(index.base().map(text), Some("v"));
    assert_eq!(index.indices().map(text).collect::<Vec<_>>(), ["..b"]);
}

#[test]
fn missing_operands_keep_their_places() {
    let source = Source::body("x = * 3\ny = 4 +");
    let binary: Vec<BinaryExpr<'_>> = source.all();
    assert!(matches!(binary[0].lhs(), Some(Expr::MissingExpr(_))));
    assert_eq!(binary[0].rhs().map(text), Some("3"));
    assert!(matches!(binary[1].rhs(), Some(Expr::MissingExpr(_))));
    let missing = binary[1].rhs().expect("a place").syntax().range();
    assert!(missing.is_empty() && source.text[..missing.start as usize].ends_with("4 +"));
}

#[test]
fn lambdas_loops_and_arms() {
    let source = Source::body("f = x -> y = x\nfor i, (a, b) in xs\n  match i\n    1 if a => b\n  end\nend");
    let lambda: LambdaExpr<'_> = source.first();
    assert!(matches!(lambda.body(), Some(Stmt::AssignStmt(_))));
    let each: ForExpr<'_> = source.first();
    assert_eq!(each.pats().map(text).collect::<Vec<_>>(), ["i", "(a, b)"]);
    assert_eq!(each.iter().map(text), Some("xs"));
    let arm: MatchArm<'_> = source.first();
    assert_eq!(arm.guard().and_then(|g| g.condition()).map(text), Some("a"));
    assert_eq!(arm.body().map(text), Some("b"));
}

#[test]
fn labels_hide_behind_functions() {
    let source = Source::body("l: loop\n  break l\n  break m\nend");
    let breaks: Vec<BreakExpr<'_>> = source.all();
    assert!(breaks[0].label().is_some() && breaks[0].value().is_none());
    assert!(breaks[1].label().is_none() && breaks[1].value().is_some());
}

#[test]
fn strings_and_heredocs() {
    let source = Source::body("x = [<<~A, \"b #{c}\", 'd']\n  text #{e}\n  A\ny = 1");
    let heredoc: HeredocExpr<'_> = source.first();
    let body = heredoc.body().expect("a body");
    assert_eq!(body.parts().filter_map(|part| part.expr()).map(text).collect::<Vec<_>>(), ["e"]);
    let string: StringExpr<'_> = source.first();
    assert_eq!(string.parts().count(), 2);
    let kinds: Vec<_> = source.all::<crate::ast::LiteralExpr<'_>>().iter().filter_map(|l| l.kind()).collect();
    assert_eq!(kinds, [LiteralKind::Char, LiteralKind::Int]);
}

#[test]
fn ranges_leave_trivia_out() {
    let source = Source::body("  x = f(1) # comment\n\n  # more\n");
    let stmt = source.first::<FnDef<'_>>().body().and_then(|b| b.stmts().next()).expect("a statement");
    assert_eq!(text(stmt), "x = f(1)");
    assert_eq!(source.first::<FnDef<'_>>().body().map(text), Some("x = f(1)"));
}

#[test]
fn a_place_leads_to_its_nodes() {
    let source = Source::body("x = f(a + b)");
    let offset = source.text.find('b').expect("a b") as u32;
    let path = source.parse.tree.root(&source.text).path_to(offset);
    let kinds: Vec<String> = path.iter().map(|node| format!("{:?}", node.kind())).collect();
    assert_eq!(kinds.join(" "), "SourceFile FnDef Block AssignStmt CallExpr ArgList BinaryExpr PathExpr");
}
