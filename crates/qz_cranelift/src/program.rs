//! The program around functions: what was already made for it (data, conventions), and compiling all of it.

use std::rc::Rc;
use std::sync::Arc;

use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{
    AbiParam, BlockCall, ExceptionTableData, ExceptionTableItem, ExtFuncData, ExternalName, InstBuilder,
    Signature, types,
};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::{Context, ir};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use qz_base::FxHashMap;
use qz_codegen::types::TableEntry;
use qz_codegen::{FnAbi, Locations, RetMode, TypeTable};
use qz_mir::layout::Layouts;
use qz_mir::{Body, Foreign, Instance, InstanceId, InstanceKey, Module, StaticDataId, VtableId};
use qz_rt_abi::object::{
    CLOSURE_CAPTURES, IMMORTAL, STR_BYTES, STR_CHARS, STR_LEN, STR_SIZE, TYPE_STR, TypeInfo,
};
use qz_types::StaticId;

use crate::batch::{self, Job};
use crate::dwarf;
use crate::function::{FnCx, quartz_signature};
use crate::image::{DataId, Extent, Image, Symbol};
use crate::made::{CodeStore, Made};
use crate::value::clif_ty;
use crate::{CompileError, Emit, Options};

/// What functions share while a program is compiled.
pub(crate) struct ProgramCx<'m> {
    pub(crate) module: &'m Module,
    pub(crate) layouts: &'m Layouts<'m>,
    pub(crate) options: Options,
    pub(crate) isa: OwnedTargetIsa,
    /// The module whose code is made quickly, and how.
    quick: Option<(qz_base::Name, OwnedTargetIsa)>,
    store: Option<&'m dyn CodeStore>,
    pub(crate) image: Image,
    pub(crate) types: TypeTable,
    pub(crate) locations: Locations,
    abis: Vec<Option<Rc<FnAbi>>>,
    strings: FxHashMap<Arc<str>, DataId>,
    closures: FxHashMap<InstanceId, DataId>,
    vtables: Vec<Option<DataId>>,
    data: Vec<Option<DataId>>,
    statics: FxHashMap<StaticId, DataId>,
    destroys: Vec<InstanceKey>,
    /// What the runtime is told of the program, where that is part of it.
    pub(crate) description: Option<DataId>,
    /// Variables of the function at hand, for debuggers.
    pub(crate) variables: Vec<dwarf::Variable>,
    functions: Vec<dwarf::Function>,
}

/// A function in CLIF on its way.
pub(crate) struct Translated<'m> {
    id: InstanceId,
    pub(crate) symbol: &'m str,
    /// Where its code is kept.
    pub(crate) module: &'static str,
    /// For debuggers.
    variables: Vec<dwarf::Variable>,
}

/// A compiled program before it is loaded.
pub(crate) struct Compiled {
    pub(crate) image: Image,
    pub(crate) locations: Locations,
    pub(crate) type_table: DataId,
    pub(crate) type_table_len: u32,
    /// The number of the function that the host calls.
    pub(crate) entry: Option<u32>,
    pub(crate) text: String,
    /// What debuggers hear of.
    pub(crate) functions: Vec<dwarf::Function>,
    /// Data that there is only one of, by what it is.
    pub(crate) only: Vec<(Only, DataId)>,
}

/// Data that there is one of in a program, whoever refers to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Only {
    /// The memory of a module variable.
    Variable(String),
    /// The value of a constant.
    Constant(String),
}

/// Compiled functions of a part of a program.
pub(crate) struct CompiledPart {
    pub(crate) image: Image,
    pub(crate) locations: Locations,
    pub(crate) only: Vec<(Only, DataId)>,
    /// Entries of the type table behind those of the whole.
    pub(crate) types: TypeRows,
}

/// Entries of the run-time type table.
#[derive(Default)]
pub(crate) struct TypeRows {
    pub(crate) bytes: Vec<u8>,
    pub(crate) pointers: Vec<(u32, Symbol)>,
}

impl<'m> ProgramCx<'m> {
    pub(crate) fn new(
        module: &'m Module,
        layouts: &'m Layouts<'m>,
        options: Options,
        isa: OwnedTargetIsa,
        store: Option<&'m dyn CodeStore>,
    ) -> ProgramCx<'m> {
        let destroys = module.types.iter().map(|entry| module.instances[entry.destroy].key.clone()).collect();
        ProgramCx {
            module,
            layouts,
            options,
            isa,
            quick: options.quick.map(|module| (module, crate::isa::host(crate::OptLevel::None))),
            store,
            image: Image::default(),
            types: TypeTable::new(module, layouts),
            locations: Locations::default(),
            abis: vec![None; module.instances.len()],
            strings: FxHashMap::default(),
            closures: FxHashMap::default(),
            vtables: vec![None; module.vtables.len()],
            data: vec![None; module.data.len()],
            statics: FxHashMap::default(),
            destroys,
            description: None,
            variables: Vec::new(),
            functions: Vec::new(),
        }
    }

    /// The convention of an instance.
    pub(crate) fn abi(&mut self, id: InstanceId) -> Rc<FnAbi> {
        if let Some(known) = &self.abis[id.index()] {
            return known.clone();
        }
        let instance = &self.module.instances[id];
        let params = instance.params.iter().map(|param| param.ty);
        let abi = Rc::new(FnAbi::new(self.layouts, params, instance.ret));
        self.abis[id.index()] = Some(abi.clone());
        abi
    }

    /// Whether an instance destroys objects, and so takes part in limiting its own depth.
    pub(crate) fn is_destroy(&self, key: &InstanceKey) -> bool {
        matches!(key, InstanceKey::DestroyGlue(_) | InstanceKey::DestroyClosure(_))
            || self.destroys.contains(key)
    }

    /// Compiles every instance that has a body, and the entry.
    pub(crate) fn compile(mut self) -> Result<Compiled, CompileError> {
        let mut cx = Context::new();
        let mut builder_cx = FunctionBuilderContext::new();
        let mut text = String::new();
        self.compile_bodies(&mut builder_cx, &mut text)?;
        let entry = match self.module.entry {
            Some(main) => Some(self.compile_entry(main, &mut cx, &mut builder_cx, &mut text)?),
            None => None,
        };
        self.compile_for_c(&mut cx, &mut builder_cx, &mut text)?;
        let TypeRows { bytes, pointers } = self.type_rows(None);
        let type_table_len = bytes.len() as u32;
        let type_table = self.image.add_data(&bytes, 8, pointers);
        let only = self.only();
        let ProgramCx { image, locations, functions, .. } = self;
        Ok(Compiled { image, locations, type_table, type_table_len, entry, text, functions, only })
    }

    /// Compiles every instance that has a body, for a program that has the rest, and so many rows in its type table.
    pub(crate) fn compile_part(mut self, known_types: u32) -> Result<CompiledPart, CompileError> {
        self.compile_bodies(&mut FunctionBuilderContext::new(), &mut String::new())?;
        let types = self.type_rows(Some(known_types));
        let only = self.only();
        let ProgramCx { image, locations, .. } = self;
        Ok(CompiledPart { image, locations, only, types })
    }

    fn compile_bodies(
        &mut self,
        builder_cx: &mut FunctionBuilderContext,
        text: &mut String,
    ) -> Result<(), CompileError> {
        let mut batch = Vec::new();
        for (id, instance) in self.module.instances.iter() {
            let Some(body) = &instance.body else { continue };
            let (cx, what) = self.translate(id, instance, body, builder_cx);
            batch.push(Job::new(cx, what));
            if batch.len() == batch::SIZE {
                self.finish_batch(&mut batch, text)?;
            }
        }
        self.finish_batch(&mut batch, text)
    }

    /// What there is only one of, as far as it was needed.
    fn only(&self) -> Vec<(Only, DataId)> {
        let variable = |(id, info): &(StaticId, qz_mir::StaticInfo)| {
            let data = self.statics.get(id)?;
            Some((Only::Variable(info.path.as_str().to_owned()), *data))
        };
        let constant = |&(path, id): &(qz_base::Name, StaticDataId)| {
            Some((Only::Constant(path.as_str().to_owned()), self.data[id.index()]?))
        };
        let variables = self.module.statics.iter().filter_map(variable);
        variables.chain(self.module.constants.iter().filter_map(constant)).collect()
    }

    fn translate(
        &mut self,
        id: InstanceId,
        instance: &'m Instance,
        body: &Body,
        builder_cx: &mut FunctionBuilderContext,
    ) -> (Context, Translated<'m>) {
        let abi = self.abi(id);
        let mut cx = Context::new();
        cx.func.signature = quartz_signature(&abi);
        cx.func.name = ir::UserFuncName::user(0, id.raw());
        let builder = FunctionBuilder::new(&mut cx.func, builder_cx);
        FnCx::translate(self, builder, (id, instance), body, &abi);
        cx.set_disasm(self.options.emit == Emit::Asm);
        let variables = std::mem::take(&mut self.variables);
        (cx, Translated { id, symbol: &instance.symbol, module: instance.module(), variables })
    }

    /// Makes code of translated functions and places it, in their order.
    fn finish_batch(&mut self, batch: &mut Vec<Job<'m>>, text: &mut String) -> Result<(), CompileError> {
        let instances = &self.module.instances;
        if self.options.emit == Emit::Clif {
            for job in batch.iter() {
                *text += &format!("; {}\n{}\n", instances[job.what.id].symbol, job.cx.func.display());
            }
        }
        let quick = self.quick.as_ref().map(|(module, isa)| (module.as_str(), &**isa));
        batch::compile(batch, &*self.isa, quick, self.store())?;
        for job in batch.drain(..) {
            let made = job.made.expect("was just made");
            if let Some(asm) = job.cx.compiled_code().and_then(|it| it.vcode.as_ref()) {
                *text += &format!("{}:\n{asm}\n", instances[job.what.id].symbol);
            }
            let extent = self.image.add_function(job.what.id.raw(), &made, &job.cx.func);
            if self.options.debug
                && let Some(body) = &instances[job.what.id].body
            {
                let first = job.cx.func.params.base_srcloc().bits();
                self.note_function(body, extent, (&made, first), job.what.variables);
            }
        }
        Ok(())
    }

    /// Where code is kept, unless somebody wants to see how it is made.
    fn store(&self) -> Option<&'m dyn CodeStore> {
        self.store.filter(|_| self.options.emit == Emit::Nothing)
    }

    /// Notes what debuggers hear of a function whose code was just placed, with the number of its first place.
    fn note_function(
        &mut self,
        body: &Body,
        extent: Extent,
        (made, first): (&Made, u32),
        variables: Vec<dwarf::Variable>,
    ) {
        let own = &body.scopes[Body::SCOPE];
        let head = (own.function, own.declared);
        let noted = made.debug.as_ref().expect("the code is for debuggers");
        self.functions.push(dwarf::Function::new(head, extent, (noted, first), variables));
    }

    pub(crate) fn finish(
        &mut self,
        number: u32,
        cx: &mut Context,
        symbol: &str,
        text: &mut String,
    ) -> Result<Extent, CompileError> {
        if self.options.emit == Emit::Clif {
            *text += &format!("; {symbol}\n{}\n", cx.func.display());
        }
        cx.set_disasm(self.options.emit == Emit::Asm);
        if let Err(error) = cx.compile(&*self.isa, &mut ControlPlane::default()) {
            let reason = cranelift_codegen::print_errors::pretty_error(error.func, error.inner);
            return Err(CompileError::Internal(format!("{symbol}: {reason}")));
        }
        let code = cx.compiled_code().expect("was just compiled");
        if let Some(asm) = &code.vcode {
            *text += &format!("{symbol}:\n{asm}\n");
        }
        Ok(self.image.add_function(number, &Made::new(&*self.isa, code, &cx.func), &cx.func))
    }

    /// The function that the host calls: `fn(fiber, result: *mut i64) -> panicked`, in C's convention.
    /// Nothing unwinds beyond it.
    fn compile_entry(
        &mut self,
        main: InstanceId,
        cx: &mut Context,
        builder_cx: &mut FunctionBuilderContext,
        text: &mut String,
    ) -> Result<u32, CompileError> {
        let abi = self.abi(main);
        cx.clear();
        cx.func.signature = Signature::new(self.isa.default_call_conv());
        cx.func.signature.params = vec![AbiParam::new(types::I64); 2];
        cx.func.signature.returns = vec![AbiParam::new(types::I64)];
        let mut b = FunctionBuilder::new(&mut cx.func, builder_cx);
        let (entry, next, caught) = (b.create_block(), b.create_block(), b.create_block());
        b.append_block_params_for_function_params(entry);
        b.switch_to_block(entry);
        let params = b.block_params(entry).to_vec();
        let signature = b.func.import_signature(quartz_signature(&abi));
        let name = b.func.declare_imported_user_function(Symbol::Function(main.raw()).name());
        let name = ExternalName::user(name);
        let function =
            b.func.import_function(ExtFuncData { name, signature, colocated: true, patchable: false });
        let result = match &abi.ret.1 {
            RetMode::Direct(slots) => Some(b.append_block_param(next, clif_ty(slots[0].scalar))),
            RetMode::Ignore | RetMode::Indirect => None,
        };
        let pool = &mut b.func.dfg.value_lists;
        let normal = BlockCall::new(next, result.map(|_| ir::BlockArg::TryCallRet(0)), pool);
        let handler = ExceptionTableItem::Default(BlockCall::new(caught, [], pool));
        let table = ExceptionTableData::new(signature, normal, [handler]);
        let table = b.func.dfg.exception_tables.push(table);
        // C code expects to find its register as it was.
        let callers = b.ins().get_pinned_reg(types::I64);
        b.ins().set_pinned_reg(params[0]);
        b.ins().try_call(function, &[], table);
        b.switch_to_block(next);
        if let Some(result) = result {
            b.ins().store(ir::MemFlagsData::trusted(), result, params[1], 0);
        }
        b.ins().set_pinned_reg(callers);
        let fine = b.ins().iconst(types::I64, 0);
        b.ins().return_(&[fine]);
        b.switch_to_block(caught);
        b.ins().set_pinned_reg(callers);
        let panicked = b.ins().iconst(types::I64, 1);
        b.ins().return_(&[panicked]);
        b.seal_all_blocks();
        b.finalize(self.isa.frontend_config());
        let number = self.module.instances.len() as u32;
        self.finish(number, cx, "entry", text)?;
        Ok(number)
    }

    // ---- data

    /// A string literal: an immortal object.
    pub(crate) fn string(&mut self, text: &Arc<str>) -> DataId {
        if let Some(&known) = self.strings.get(text) {
            return known;
        }
        // The bytes follow the object, so the pointer to them is the blob itself and an offset.
        let bytes_of = self.image.add_data(text.as_bytes(), 1, Vec::new());
        let mut object = header(TYPE_STR);
        object.resize(STR_SIZE as usize, 0);
        let mut half = |at: u32, n: usize| {
            object[at as usize..at as usize + 4].copy_from_slice(&(n as u32).to_le_bytes());
        };
        half(STR_LEN, text.len());
        half(STR_CHARS, text.chars().count());
        let id = self.image.add_data(&object, 8, vec![(STR_BYTES, Symbol::Data(bytes_of))]);
        self.strings.insert(text.clone(), id);
        id
    }

    /// The closure object of a function that captures nothing.
    pub(crate) fn static_closure(&mut self, instance: InstanceId) -> DataId {
        if let Some(&known) = self.closures.get(&instance) {
            return known;
        }
        // Nobody destroys it, so it needs no entry in the type table.
        let mut object = header(TYPE_STR);
        object.resize(CLOSURE_CAPTURES as usize, 0);
        let id = self.image.add_data(&object, 8, vec![(8, Symbol::Function(instance.raw()))]);
        self.closures.insert(instance, id);
        id
    }

    pub(crate) fn vtable(&mut self, vtable: VtableId) -> DataId {
        if let Some(known) = self.vtables[vtable.index()] {
            return known;
        }
        let slots = &self.module.vtables[vtable].slots;
        let pointers = slots.iter().enumerate().map(|(i, id)| (i as u32 * 8, Symbol::Function(id.raw())));
        let id = self.image.add_data(&vec![0; slots.len() * 8], 8, pointers.collect());
        self.vtables[vtable.index()] = Some(id);
        id
    }

    pub(crate) fn static_data(&mut self, data: StaticDataId) -> DataId {
        if let Some(known) = self.data[data.index()] {
            return known;
        }
        let blob = &self.module.data[data];
        let pointers = blob.pointers.iter().map(|&(at, to)| (at, Symbol::Data(self.static_data(to))));
        let pointers = pointers.collect();
        let bytes = blob.bytes_with_header(|kind| self.types.index(kind));
        let id = self.image.add_data(&bytes, blob.align.max(8) as usize, pointers);
        self.data[data.index()] = Some(id);
        id
    }

    /// The memory of a module variable.
    pub(crate) fn static_storage(&mut self, id: StaticId) -> DataId {
        if let Some(&known) = self.statics.get(&id) {
            return known;
        }
        let found = self.module.statics.iter().find(|(known, _)| *known == id);
        let (_, info) = found.expect("the module lists the variables it uses");
        let layout = self.layouts.of(info.ty);
        let data =
            self.image.add_data(&vec![0; layout.size as usize], layout.align.max(8) as usize, Vec::new());
        self.statics.insert(id, data);
        data
    }

    /// The run-time type table, or what a part adds to one with so many rows.
    fn type_rows(&mut self, known: Option<u32>) -> TypeRows {
        let mut rows = TypeRows::default();
        if known.is_none() {
            self.type_row("String", 0, None, &mut rows);
        }
        let module = self.module;
        for (n, entry) in module.types.iter().enumerate() {
            let is_known = known.is_some_and(|known| module.indexes[n] < known);
            if !is_known {
                self.type_row(&entry.name, entry.circle.flags(), Some(self.types.entries[n]), &mut rows);
            }
        }
        rows
    }

    fn type_row(&mut self, name: &str, flags: usize, entry: Option<TableEntry>, rows: &mut TypeRows) {
        let at = rows.bytes.len();
        rows.bytes.resize(at + size_of::<TypeInfo>(), 0);
        let field = |offset: usize| at + offset;
        if let Some(entry) = entry {
            rows.bytes[at..at + 4].copy_from_slice(&entry.size.to_le_bytes());
            rows.bytes[at + 4..at + 8].copy_from_slice(&entry.align.to_le_bytes());
            let destroy = field(std::mem::offset_of!(TypeInfo, destroy)) as u32;
            rows.pointers.push((destroy, Symbol::Function(entry.destroy.raw())));
        }
        let text = self.image.add_data(name.as_bytes(), 1, Vec::new());
        rows.pointers.push((field(std::mem::offset_of!(TypeInfo, name)) as u32, Symbol::Data(text)));
        let len = field(std::mem::offset_of!(TypeInfo, name_len));
        rows.bytes[len..len + 8].copy_from_slice(&((name.len() | flags) as u64).to_le_bytes());
    }

    // ---- foreign functions

    /// A function of a C library.
    pub(crate) fn foreign(&mut self, foreign: &Foreign) -> Symbol {
        self.image.outside(foreign.symbol.as_str(), foreign.variadic)
    }
}

/// The header of an immortal object.
fn header(type_index: u32) -> Vec<u8> {
    let mut bytes = IMMORTAL.to_le_bytes().to_vec();
    bytes.extend(type_index.to_le_bytes());
    bytes
}
