//! A whole program as an object file: the machine code of [`ProgramCx`], what the runtime asks of a native program
//! ([`qz_rt_abi::native`]), and `main`.

use cranelift_codegen::Context;
use cranelift_codegen::ir::{AbiParam, InstBuilder, Signature, types};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use qz_codegen::debug::Unit;
use qz_codegen::{PlaceTable, SourceFiles};
use qz_mir::Module;
use qz_mir::layout::Layouts;
use qz_rt_abi::native::{ABI, COUNTS_OBJECTS, Place, Program, RETURNS_STATUS};

use crate::dwarf;
use crate::image::{DataId, Image, Symbol};
use crate::made::{CodeStore, Made};
use crate::program::{Compiled, ProgramCx};
use crate::{CompileError, Options};

/// The program as the bytes of an object file, to be linked with the runtime's library. With `debug` it says where
/// lines, functions and variables are. The same program gives the same bytes.
pub fn compile_object(
    module: &Module,
    layouts: &Layouts,
    files: &dyn SourceFiles,
    options: Options,
    debug: Option<&Unit>,
    store: Option<&dyn CodeStore>,
) -> Result<Vec<u8>, CompileError> {
    let options = Options { debug: debug.is_some(), ..options };
    let isa = crate::isa::portable(options.opt, options.debug);
    let mut cx = ProgramCx::new(module, layouts, options, isa.clone(), store);
    let program = cx.image.add_data(&[0; size_of::<Program>()], 8, Vec::new());
    cx.description = Some(program);
    let mut compiled = cx.compile()?;
    let count = module.instances.len() as u32;
    if compiled.entry.is_some() {
        add_main(&mut compiled, options, program)?;
    }
    describe(module, &mut compiled, files, options, program);
    let around = |number: u32| crate::foreign::symbol_around(module, number);
    let name = |number: u32| match (module.instances.iter().nth(number as usize), around(number)) {
        (Some((_, instance)), _) => instance.symbol.clone(),
        (None, Some((symbol, _))) => symbol,
        (None, None) if number == count => "qz.run".to_owned(),
        (None, None) => "main".to_owned(),
    };
    let exported = |number: u32| number == count + 1 || around(number).is_some_and(|(_, exported)| exported);
    let mut writer = compiled.image.into_object(&name, &exported);
    if let Some(unit) = debug {
        let (functions, locations) = (compiled.functions, compiled.locations);
        let noted = dwarf::Noted { unit, functions, locations, layouts, files };
        dwarf::add(&noted, &*isa, &mut writer).map_err(CompileError::Internal)?;
    }
    writer.finish().map_err(CompileError::Internal)
}

/// `main`, which hands the program to the runtime.
fn add_main(compiled: &mut Compiled, options: Options, program: DataId) -> Result<(), CompileError> {
    let isa = crate::isa::portable(options.opt, options.debug);
    let mut cx = Context::new();
    let mut builder_cx = FunctionBuilderContext::new();
    let mut signature = Signature::new(isa.default_call_conv());
    signature.params = [types::I32, types::I64].map(AbiParam::new).to_vec();
    signature.returns = vec![AbiParam::new(types::I32)];
    cx.func.signature = signature.clone();
    signature.params.insert(0, AbiParam::new(types::I64));
    let start = compiled.image.outside("qz_start", false);
    let mut b = FunctionBuilder::new(&mut cx.func, &mut builder_cx);
    let block = b.create_block();
    b.append_block_params_for_function_params(block);
    b.switch_to_block(block);
    let &[argc, argv] = b.block_params(block) else { unreachable!("just made with two") };
    let [start, program] =
        [start, Symbol::Data(program)].map(|symbol| crate::function::address_of(&mut b, symbol));
    let signature = b.func.import_signature(signature);
    let call = b.ins().call_indirect(signature, start, &[program, argc, argv]);
    let status = b.inst_results(call)[0];
    b.ins().return_(&[status]);
    b.seal_all_blocks();
    b.finalize(isa.frontend_config());
    cx.compile(&*isa, &mut Default::default())
        .map_err(|error| CompileError::Internal(format!("main: {:?}", error.inner)))?;
    let code = cx.compiled_code().expect("was just compiled");
    let number = compiled.entry.expect("there is an entry") + 1;
    compiled.image.add_function(number, &Made::new(&*isa, code, &cx.func), &cx.func);
    Ok(())
}

/// Fills in what the runtime must know of the program.
fn describe(
    module: &Module,
    compiled: &mut Compiled,
    files: &dyn SourceFiles,
    options: Options,
    program: DataId,
) {
    let table = PlaceTable::new(&compiled.locations, files);
    let image = &mut compiled.image;
    image.sites.sort_by_key(|site| site.return_offset);
    let sites = image.add_data(&crate::object::site_bytes(&image.sites.clone()), 8, Vec::new());
    let places = image.add_data(&place_bytes(&table.places), 8, Vec::new());
    let texts = image.add_data(table.texts.as_bytes(), 1, Vec::new());
    let returns = module.entry.is_some_and(|id| module.instances[id].ret.is_integer());
    let mut flags = if returns { RETURNS_STATUS } else { 0 };
    if options.count_objects {
        flags |= COUNTS_OBJECTS;
    }
    let first = image.first_function();
    macro_rules! at {
        ($field:ident) => {
            std::mem::offset_of!(Program, $field) as u32
        };
    }
    let words = [
        (at!(abi), ABI),
        (at!(place_count), table.places.len() as u64),
        (at!(flags), flags),
        (at!(code_len), image.text_len()),
        (at!(site_count), image.sites.len() as u64),
    ];
    let pointers = [
        // A library has no entry, and nobody asks for it.
        (at!(run), Symbol::Function(compiled.entry.unwrap_or(first))),
        (at!(types), Symbol::Data(compiled.type_table)),
        (at!(places), Symbol::Data(places)),
        (at!(texts), Symbol::Data(texts)),
        (at!(code), Symbol::Function(first)),
        (at!(sites), Symbol::Data(sites)),
    ];
    fill(image, program, &words, &pointers);
}

fn fill(image: &mut Image, blob: DataId, words: &[(u32, u64)], pointers: &[(u32, Symbol)]) {
    let blob = &mut image.blobs[blob.0 as usize];
    blob.pointers = pointers.to_vec();
    for &(at, word) in words {
        image.data[(blob.offset + at) as usize..][..8].copy_from_slice(&word.to_le_bytes());
    }
}

/// Places as the runtime reads them.
fn place_bytes(places: &[Place]) -> Vec<u8> {
    let words = |place: &Place| {
        let Place { function, function_len, file, file_len, line, column, parent, flags } = *place;
        [function, function_len, file, file_len, line, column, parent, flags]
    };
    places.iter().flat_map(words).flat_map(u32::to_le_bytes).collect()
}
