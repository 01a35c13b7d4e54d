//! `quartz new`: a folder with a first program.

use std::path::Path;

const MAIN: &str = "\
def greeting(name: String): String = \"Hello, #{name}!\"

def main
  puts(greeting(\"world\"))
end
";

/// Makes the folder; an existing one is left alone.
pub(super) fn new(name: &str) -> u8 {
    let folder = Path::new(name);
    if folder.exists() {
        eprintln!("error: `{name}` exists already");
        return super::STATUS_USE;
    }
    let made = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(folder.join("main.qz"), MAIN))
        .and_then(|()| std::fs::write(folder.join(".gitignore"), ".quartz-cache/\n"));
    match made {
        Ok(()) => {
            println!("made `{name}`; try it: quartz run {name}/main.qz");
            0
        }
        Err(error) => {
            eprintln!("error: `{name}` cannot be made: {error}");
            super::STATUS_PROBLEMS
        }
    }
}
