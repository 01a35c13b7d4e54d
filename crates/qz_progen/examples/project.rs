//! Writes the files of a project into a folder, after some edits: `project SEED EDITS FOLDER`.

fn main() {
    let mut args = std::env::args().skip(1);
    let mut number = || args.next().and_then(|it| it.parse().ok()).unwrap_or(0);
    let mut project = qz_progen::Project::new(number());
    for _ in 0..number() {
        println!("{}", project.edit());
    }
    let folder = std::env::args().nth(3).unwrap_or_else(|| ".".into());
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    for file in project.files() {
        let path = std::path::Path::new(&folder).join(&file.name);
        match file.text {
            Some(text) => std::fs::write(path, text).expect("the folder can be written"),
            None => drop(std::fs::remove_file(path)),
        }
    }
}
