//! Which macro does a name mean? A pass of its own over the headers of modules, before other names are known. Macros
//! live apart from functions and types, since `$` tells them from those.

use std::cell::RefCell;
use std::rc::Rc;

use qz_base::{FxHashMap, FxHashSet, Name};
use qz_syntax::SyntaxKind;
use qz_syntax::ast::{self, AstNode};

use crate::Module;
use crate::code::Parsed;

/// What a macro takes for a parameter.
#[derive(Clone, Debug)]
pub(crate) struct Param {
    pub(crate) name: Name,
    pub(crate) kind: Option<String>,
    pub(crate) is_rest: bool,
    /// The node of the default.
    pub(crate) default: Option<u32>,
}

/// A declared macro.
pub(crate) struct Macro {
    pub(crate) name: Name,
    pub(crate) module: usize,
    pub(crate) source: Rc<Parsed>,
    /// The `MacroDef`.
    pub(crate) node: u32,
    pub(crate) params: Vec<Param>,
    pub(crate) is_private: bool,
}

pub(crate) enum Found {
    Macro(Rc<Macro>),
    Private,
    Ambiguous,
    Missing,
}

/// The names that a module's header gives.
#[derive(Default)]
struct Header {
    macros: FxHashMap<Name, Rc<Macro>>,
    /// Named imports: the target, its name there, and whether others see it.
    imports: FxHashMap<Name, (usize, Name, bool)>,
    wildcards: Vec<(usize, bool)>,
    aliases: FxHashMap<Name, usize>,
    /// Everything declared here.
    declared: FxHashSet<Name>,
}

/// The headers of all modules that have anything to do with macros.
pub(crate) struct Scopes<'a> {
    modules: &'a [Module],
    headers: RefCell<FxHashMap<usize, Rc<RefCell<Header>>>>,
    prelude: Option<usize>,
}

impl<'a> Scopes<'a> {
    pub(crate) fn new(modules: &'a [Module], prelude: Option<usize>) -> Scopes<'a> {
        Scopes { modules, headers: RefCell::default(), prelude }
    }

    fn header(&self, module: usize) -> Rc<RefCell<Header>> {
        if let Some(known) = self.headers.borrow().get(&module) {
            return known.clone();
        }
        let header = Rc::new(RefCell::new(self.read(module)));
        self.headers.borrow_mut().insert(module, header.clone());
        header
    }

    fn read(&self, at: usize) -> Header {
        let module = &self.modules[at];
        let source = Rc::new(module.source());
        let mut header = Header::default();
        let Some(file) = ast::SourceFile::cast(source.root()) else { return header };
        let mut targets = module.imports.iter();
        for item in file.items() {
            match item {
                ast::Item::ImportDef(import) => {
                    if let Some(&Some(target)) = targets.next() {
                        read_import(import, target, &mut header);
                    }
                }
                ast::Item::MacroDef(it) => {
                    if let Some(found) = read_macro(it, at, &source) {
                        header.macros.entry(found.name).or_insert(found);
                    }
                }
                other => header.declared.extend(declared_name(other)),
            }
        }
        header
    }

    /// Adds a macro that a macro made. It is known to what stands below.
    pub(crate) fn add(&self, module: usize, source: &Rc<Parsed>, node: ast::MacroDef<'_>) -> bool {
        let Some(found) = read_macro(node, module, source) else { return true };
        let header = self.header(module);
        let mut header = header.borrow_mut();
        let is_new = !header.macros.contains_key(&found.name);
        header.macros.entry(found.name).or_insert(found);
        is_new
    }

    pub(crate) fn own(&self, module: usize) -> Vec<Rc<Macro>> {
        let header = self.header(module);
        let mut own: Vec<Rc<Macro>> = header.borrow().macros.values().cloned().collect();
        own.sort_by_key(|it| it.node);
        own
    }

    /// What `$name` means in a module: its own macros and named imports, then wildcards, then the prelude.
    pub(crate) fn find(&self, module: usize, path: &[Name]) -> Found {
        match *path {
            [name] => match self.visible(module, name) {
                Found::Missing => match self.prelude.filter(|&it| it != module) {
                    Some(prelude) => self.exported(prelude, name, &mut Vec::new()),
                    None => Found::Missing,
                },
                found => found,
            },
            [alias, name] => match self.header(module).borrow().aliases.get(&alias) {
                Some(&target) => self.exported(target, name, &mut Vec::new()),
                None => Found::Missing,
            },
            _ => Found::Missing,
        }
    }

    fn visible(&self, module: usize, name: Name) -> Found {
        let header = self.header(module);
        let header = header.borrow();
        if let Some(own) = header.macros.get(&name) {
            return Found::Macro(own.clone());
        }
        if let Some(&(target, there, _)) = header.imports.get(&name) {
            return self.exported(target, there, &mut Vec::new());
        }
        let all = header.wildcards.iter().map(|it| it.0);
        one_of(all.map(|target| self.exported(target, name, &mut Vec::new())))
    }

    fn exported(&self, module: usize, name: Name, seen: &mut Vec<(usize, Name)>) -> Found {
        if seen.contains(&(module, name)) {
            return Found::Missing;
        }
        seen.push((module, name));
        let header = self.header(module);
        let header = header.borrow();
        if let Some(own) = header.macros.get(&name) {
            return if own.is_private { Found::Private } else { Found::Macro(own.clone()) };
        }
        if let Some(&(target, there, is_pub)) = header.imports.get(&name) {
            return if is_pub { self.exported(target, there, seen) } else { Found::Missing };
        }
        let open = header.wildcards.iter().filter(|it| it.1).map(|it| it.0);
        one_of(open.map(|target| self.exported(target, name, seen)))
    }

    /// Names of macros that a module sees, for suggestions.
    pub(crate) fn names(&self, module: usize) -> Vec<Name> {
        let header = self.header(module);
        let header = header.borrow();
        let mut names: Vec<Name> = header.macros.keys().copied().collect();
        for (&local, &(target, there, _)) in &header.imports {
            if matches!(self.exported(target, there, &mut Vec::new()), Found::Macro(_)) {
                names.push(local);
            }
        }
        for &(target, _) in &header.wildcards {
            names.extend(
                self.header(target).borrow().macros.values().filter(|it| !it.is_private).map(|it| it.name),
            );
        }
        names.sort_by(|a, b| a.cmp_text(*b));
        names.dedup();
        names
    }

    /// Whether a module itself gives a type's or constant's name a meaning.
    pub(crate) fn declares(&self, module: usize, name: Name) -> bool {
        let header = self.header(module);
        let header = header.borrow();
        header.declared.contains(&name)
            || header.imports.contains_key(&name)
            || header.wildcards.iter().any(|&(it, _)| self.header(it).borrow().declared.contains(&name))
    }
}

fn one_of(all: impl Iterator<Item = Found>) -> Found {
    let mut one: Option<Rc<Macro>> = None;
    for found in all {
        if let Found::Macro(found) = found {
            match &one {
                Some(known) if !Rc::ptr_eq(known, &found) => return Found::Ambiguous,
                _ => one = Some(found),
            }
        }
    }
    one.map_or(Found::Missing, Found::Macro)
}

fn read_import(import: ast::ImportDef<'_>, target: usize, header: &mut Header) {
    if import.is_wildcard() {
        header.wildcards.push((target, import.is_pub()));
        return;
    }
    let mut named = false;
    for name in import.names() {
        named = true;
        let Some(token) = name.name() else { continue };
        let local = name.alias().unwrap_or(token);
        header.imports.insert(Name::new(local.text()), (target, Name::new(token.text()), import.is_pub()));
    }
    let last = import.path().and_then(|path| path.segments().last());
    if let (false, Some(last)) = (named, last) {
        header.aliases.insert(Name::new(import.alias().unwrap_or(last).text()), target);
    }
}

fn read_macro(it: ast::MacroDef<'_>, module: usize, source: &Rc<Parsed>) -> Option<Rc<Macro>> {
    let name = Name::new(it.name()?.text());
    let params = it.params().into_iter().flat_map(|list| list.params());
    let params = params.map(|param| Param {
        name: Name::new(param.pat().map_or("", |pat| pat.syntax().text())),
        kind: param.ty().map(|ty| ty.syntax().text().to_owned()),
        is_rest: param.is_rest(),
        default: param.default().map(|it| it.syntax().index()),
    });
    Some(Rc::new(Macro {
        name,
        module,
        source: source.clone(),
        node: it.syntax().index(),
        params: params.collect(),
        is_private: it.is_private(),
    }))
}

/// The name of a declaration.
pub(crate) fn declared_name(item: ast::Item<'_>) -> Option<Name> {
    let token = match item {
        ast::Item::ImportDef(_) | ast::Item::ImplDef(_) | ast::Item::ExtendDef(_) => return None,
        other => other.syntax().token(SyntaxKind::Ident)?,
    };
    Some(Name::new(token.text()))
}
