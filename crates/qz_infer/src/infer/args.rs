//! From arguments as written to parameters: positions, names, defaults, rest, spread.

use qz_base::Name;
use qz_hir::body::*;
use qz_types::{FnId, Ty, TyKind};

use super::{Expect, Infer};
use crate::diagnostics as words;
use crate::facts::*;

/// A parameter as the planner sees it.
#[derive(Clone, Debug)]
pub(super) struct ParamInfo {
    pub(super) name: Option<Name>,
    pub(super) ty: Ty,
    pub(super) has_default: bool,
    pub(super) is_rest: bool,
}

/// What a call brings along.
#[derive(Copy, Clone)]
pub(super) struct Inputs<'a> {
    pub(super) args: &'a [Arg],
    /// The receiver fills the first parameter and has been checked.
    pub(super) has_receiver: bool,
    /// The arguments' types are already known (a pending call): they are compared, not inferred.
    pub(super) typed: Option<&'a [Ty]>,
}

impl<'a> Inputs<'a> {
    pub(super) fn plain(args: &'a [Arg]) -> Inputs<'a> {
        Inputs { args, has_receiver: false, typed: None }
    }

    pub(super) fn method(args: &'a [Arg]) -> Inputs<'a> {
        Inputs { args, has_receiver: true, typed: None }
    }
}

impl Infer<'_, '_> {
    /// Plans the call and checks every argument against its parameter. Arguments that are lambdas come
    /// last, when the others have told what the type parameters are.
    pub(super) fn arguments(
        &mut self,
        id: ExprId,
        function: Option<FnId>,
        params: &[ParamInfo],
        inputs: Inputs<'_>,
    ) {
        let Some(plan) = self.plan(id, function, params, inputs) else {
            self.st.failed = true;
            if inputs.typed.is_none() {
                for arg in inputs.args {
                    self.expr(arg.value, Expect::Any);
                }
            }
            return;
        };
        let mut jobs: Vec<(u32, Ty)> = Vec::new();
        for (source, param) in plan.params.iter().zip(params) {
            match source {
                ParamSource::Arg(n) => jobs.push((*n, param.ty)),
                ParamSource::Rest(parts) => self.rest_jobs(parts, param.ty, &mut jobs),
                ParamSource::SpreadElem(..) | ParamSource::Receiver | ParamSource::Default => {}
            }
        }
        self.spread_tuples(&plan, params, inputs);
        self.variadic_arguments(&plan, params, inputs);
        jobs.sort_by_key(|&(n, _)| n);
        self.st.types.plans.insert(id, plan);
        if let Some(types) = inputs.typed {
            for (n, ty) in jobs {
                let value = inputs.args[n as usize].value;
                self.coerce(value, types[n as usize], ty);
            }
            return;
        }
        let entered = self.enter_handled(id, function, params);
        let body = self.body.clone();
        let is_lambda = |n: u32| matches!(body.exprs[inputs.args[n as usize].value], Expr::Lambda { .. });
        for &(n, ty) in jobs.iter().filter(|&&(n, _)| !is_lambda(n)) {
            self.check(inputs.args[n as usize].value, ty);
        }
        for &(n, ty) in jobs.iter().filter(|&&(n, _)| is_lambda(n)) {
            // What the parameter is may hang on bounds that can be met by now.
            if self.resolve(ty).has(qz_types::TyFlags::INFER) {
                self.solve(false);
            }
            self.check(inputs.args[n as usize].value, ty);
        }
        self.leave_handled(id, function, entered);
    }

    /// What goes to the `...` of a foreign function: no parameter says what it is.
    fn variadic_arguments(&mut self, plan: &CallPlan, params: &[ParamInfo], inputs: Inputs<'_>) {
        for source in plan.params.iter().skip(params.len()) {
            if let ParamSource::Arg(n) = source {
                self.expr(inputs.args[*n as usize].value, Expect::Any);
            }
        }
    }

    /// The element type of a rest parameter's vector.
    fn rest_jobs(&mut self, parts: &[RestPart], vec: Ty, jobs: &mut Vec<(u32, Ty)>) {
        let elem = match self.as_lang(vec, "Vec") {
            Some(args) => args[0],
            None => self.fresh(),
        };
        for part in parts {
            match part {
                RestPart::One(n) => jobs.push((*n, elem)),
                RestPart::Spread(n) => jobs.push((*n, vec)),
            }
        }
    }

    /// Elements of spread tuples against the parameters they fill.
    fn spread_tuples(&mut self, plan: &CallPlan, params: &[ParamInfo], inputs: Inputs<'_>) {
        for (source, param) in plan.params.iter().zip(params) {
            if let ParamSource::SpreadElem(arg, index) = source {
                let value = inputs.args[*arg as usize].value;
                let Some(&ty) = self.st.types.exprs.get(value) else { continue };
                if let TyKind::Tuple(parts) = *self.shallow(ty).peel_ref().kind()
                    && let Some(&part) = parts.get(*index as usize)
                {
                    self.unify(value, part, param.ty);
                }
            }
        }
    }

    /// Which argument goes where. `None` after a reported problem.
    fn plan(
        &mut self,
        id: ExprId,
        function: Option<FnId>,
        params: &[ParamInfo],
        inputs: Inputs<'_>,
    ) -> Option<CallPlan> {
        let mut slots: Vec<Option<ParamSource>> = vec![None; params.len()];
        let first = usize::from(inputs.has_receiver);
        if inputs.has_receiver {
            slots[0] = Some(ParamSource::Receiver);
        }
        let rest_at = params.iter().position(|it| it.is_rest);
        let mut rest = Vec::new();
        let mut extra = Vec::new();
        let mut position = first;
        let mut too_many = false;
        let takes_more = function.is_some_and(|id| self.ck.defs.fns[id].is_variadic());
        let mut seen_named = false;
        for (n, arg) in inputs.args.iter().enumerate() {
            let n = n as u32;
            match arg.kind {
                ArgKind::Positional => {
                    if seen_named {
                        // The parser has told.
                        self.st.failed = true;
                        return None;
                    }
                    if takes_more && position >= params.len() {
                        extra.push(ParamSource::Arg(n));
                        continue;
                    }
                    self.place_positional(
                        n,
                        params,
                        &mut slots,
                        &mut position,
                        rest_at,
                        &mut rest,
                        &mut too_many,
                    );
                }
                ArgKind::Block => match last_open(params, &slots, rest_at) {
                    Some(at) => slots[at] = Some(ParamSource::Arg(n)),
                    None => too_many = true,
                },
                ArgKind::Named(name, range) => {
                    seen_named = true;
                    let span = qz_base::Span::new(self.body.file, range);
                    match params.iter().position(|it| it.name == Some(name) && !it.is_rest) {
                        Some(at) if slots[at].is_some() => {
                            self.report(words::arg_twice(span, name));
                            return None;
                        }
                        Some(at) => slots[at] = Some(ParamSource::Arg(n)),
                        None => {
                            let names: Vec<Name> = params.iter().filter_map(|it| it.name).collect();
                            self.report(words::unknown_arg_name(span, name, &names));
                            return None;
                        }
                    }
                }
                ArgKind::Spread => {
                    self.place_spread(
                        n,
                        arg.value,
                        params,
                        &mut slots,
                        &mut position,
                        rest_at,
                        &mut rest,
                        &mut too_many,
                    )?;
                }
            }
        }
        if let Some(at) = rest_at {
            slots[at] = Some(ParamSource::Rest(rest));
        }
        let missing = (0..params.len()).find(|&at| slots[at].is_none() && !params[at].has_default);
        if too_many || missing.is_some() {
            self.report_count(id, function, params, inputs, missing);
            return None;
        }
        let slots = slots.into_iter().map(|it| it.unwrap_or(ParamSource::Default));
        Some(CallPlan { params: slots.chain(extra).collect() })
    }

    #[allow(clippy::too_many_arguments, reason = "the state of one plan")]
    fn place_positional(
        &mut self,
        n: u32,
        params: &[ParamInfo],
        slots: &mut [Option<ParamSource>],
        position: &mut usize,
        rest_at: Option<usize>,
        rest: &mut Vec<RestPart>,
        too_many: &mut bool,
    ) {
        if rest_at == Some(*position) {
            rest.push(RestPart::One(n));
        } else if *position < params.len() {
            slots[*position] = Some(ParamSource::Arg(n));
            *position += 1;
        } else {
            *too_many = true;
        }
    }

    /// A spread feeds the rest parameter, or is a tuple of known size.
    #[allow(clippy::too_many_arguments, reason = "the state of one plan")]
    fn place_spread(
        &mut self,
        n: u32,
        value: ExprId,
        params: &[ParamInfo],
        slots: &mut [Option<ParamSource>],
        position: &mut usize,
        rest_at: Option<usize>,
        rest: &mut Vec<RestPart>,
        too_many: &mut bool,
    ) -> Option<()> {
        let ty = match self.st.types.exprs.get(value) {
            Some(&ty) => ty,
            None => self.expr(value, Expect::Any),
        };
        let ty = self.known(ty).peel_ref();
        if let TyKind::Tuple(parts) = *self.shallow(ty).kind() {
            for index in 0..parts.len() as u32 {
                if *position >= params.len() || rest_at == Some(*position) {
                    *too_many = true;
                    return Some(());
                }
                slots[*position] = Some(ParamSource::SpreadElem(n, index));
                *position += 1;
            }
            return Some(());
        }
        if rest_at == Some(*position) {
            rest.push(RestPart::Spread(n));
            return Some(());
        }
        if !self.has_error(ty) {
            let span = self.span(value);
            let shown = self.show(ty);
            self.report(words::cannot_spread(span, &shown));
        }
        None
    }

    fn report_count(
        &mut self,
        id: ExprId,
        function: Option<FnId>,
        params: &[ParamInfo],
        inputs: Inputs<'_>,
        missing: Option<usize>,
    ) {
        let first = usize::from(inputs.has_receiver);
        let own = &params[first..];
        let facts = words::CountFacts {
            min: own.iter().filter(|it| !it.has_default && !it.is_rest).count(),
            max: (!own.iter().any(|it| it.is_rest)).then_some(own.len()),
            found: inputs.args.iter().map(|it| self.given_by(it)).sum(),
            missing: missing.and_then(|at| params[at].name).filter(|it| it.as_str() != "_"),
            name: function.map(|f| self.ck.defs.fns[f].name),
            declared: function.map(|f| self.ck.defs.fn_span(f)),
        };
        let span = self.span(id);
        self.report(words::arg_count(span, &facts));
    }

    /// How many arguments one counts for: a spread tuple has parts.
    fn given_by(&self, arg: &Arg) -> usize {
        let ty = self.st.types.exprs.get(arg.value).filter(|_| arg.kind == ArgKind::Spread);
        match ty.map(|&ty| self.shallow(self.shallow(ty).peel_ref())).map(|ty| *ty.kind()) {
            Some(TyKind::Tuple(parts)) => parts.len(),
            _ => 1,
        }
    }
}

/// The last parameter nothing fills yet: where a block goes.
fn last_open(params: &[ParamInfo], slots: &[Option<ParamSource>], rest_at: Option<usize>) -> Option<usize> {
    (0..params.len()).rev().find(|&at| slots[at].is_none() && rest_at != Some(at))
}
