//! Do binary types read the files of the world? Standard tools make a PNG, a gzip file, an ELF file and a capture; programs in
//! `tests/formats` read them, and what they say is compared with what those tools know.

use std::path::{Path, PathBuf};
use std::process::Command;

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let folder = std::env::temp_dir().join(format!("quartz-formats-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
        Scratch(folder)
    }

    /// What a tool prints, run in the folder. `None`, with a message, where the tool is missing.
    fn tool(&self, program: &str, args: &[&str]) -> Option<String> {
        match Command::new(program).args(args).current_dir(&self.0).output() {
            Ok(output) => {
                assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
                Some(String::from_utf8_lossy(&output.stdout).into_owned())
            }
            Err(_) => {
                eprintln!("skipped: `{program}` is not installed");
                None
            }
        }
    }

    /// What a program of `tests/formats` prints about a file, on every engine.
    fn read(&self, format: &str, file: &str) -> String {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/formats/{format}.qz"));
        let run = |engine: &str| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_quartz"));
            command
                .args(["run", "--color=never", "--engine", engine])
                .arg(&program)
                .arg("--")
                .arg(self.0.join(file));
            let output = command.output().expect("the command starts");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        let told = run("cranelift");
        assert_eq!(told, run("interp"), "the engines differ");
        told
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const PNG: &str = r#"
import struct, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
rows = b"".join(b"\0" + bytes((x * 16 + y) & 255 for x in range(12)) for y in range(7))
open("a.png", "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 12, 7, 8, 0, 0, 0, 0))
    + chunk(b"tEXt", b"Comment\0hello") + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
print(len(zlib.compress(rows)))
"#;

#[test]
fn a_png() {
    let scratch = Scratch::new("png");
    let Some(size) = scratch.tool("python3", &["-c", PNG]) else { return };
    let wanted = format!(
        "signature: <89 50 4e 47 0d 0a 1a 0a>\nIHDR: 13 bytes, good sum\ntEXt: 13 bytes, good sum\n\
         IDAT: {} bytes, good sum\nIEND: 0 bytes, good sum\n12 x 7, 8 bits, color 0\nwritten again: true\n",
        size.trim()
    );
    assert_eq!(scratch.read("png", "a.png"), wanted);
    let mut bytes = std::fs::read(scratch.0.join("a.png")).expect("it was written");
    bytes.truncate(40);
    std::fs::write(scratch.0.join("short.png"), &bytes).expect("it can be written");
    assert_eq!(scratch.read("png", "short.png"), "`Chunk.kind` at byte 37: the input ends here\n");
}

#[test]
fn a_gzip_file() {
    let scratch = Scratch::new("gzip");
    let text = "the same line again and again\n".repeat(50);
    std::fs::write(scratch.0.join("a.txt"), &text).expect("it can be written");
    if scratch.tool("gzip", &["-k", "-N", "a.txt"]).is_none() {
        return;
    }
    let Some(listed) = scratch.tool("gzip", &["-lv", "a.txt.gz"]) else { return };
    let sum = listed.lines().nth(1).and_then(|it| it.split_whitespace().nth(1)).unwrap_or("").to_owned();
    let wanted = format!(
        "magic 1f8b, method 8, system 3\n\
         Flags {{ text: false, header_crc: false, extra: false, name: true, comment: false, _reserved: 0 }}\n\
         name: a.txt\npacked true, unpacked 1500 bytes, sum {sum}\n"
    );
    assert_eq!(scratch.read("gzip", "a.txt.gz"), wanted);
}

#[test]
fn an_elf_file() {
    let scratch = Scratch::new("elf");
    std::fs::write(scratch.0.join("a.c"), "int answer(void) { return 42; }\nint x = 1;\n")
        .expect("it can be written");
    if !cfg!(all(target_pointer_width = "64", target_endian = "little", target_os = "linux"))
        || scratch.tool("cc", &["-c", "a.c", "-o", "a.o"]).is_none()
    {
        return;
    }
    let Some(listed) = scratch.tool("readelf", &["-SW", "a.o"]) else { return };
    let told = scratch.read("elf", "a.o");
    assert!(told.starts_with("class 2, kind 1, "), "{told}");
    assert!(told.ends_with("written again: true\n"), "{told}");
    let sections: Vec<String> = listed.lines().filter_map(section).collect();
    assert!(sections.len() > 5, "{listed}");
    for section in sections {
        assert!(told.lines().any(|line| line == section), "`{section}` is missing in {told}");
    }
}

/// Name, offset and size of a section that `readelf` lists.
fn section(line: &str) -> Option<String> {
    let parts: Vec<&str> = line.split(']').nth(1)?.split_whitespace().collect();
    let number = |text: &str| u64::from_str_radix(text, 16).ok();
    match parts[..] {
        [name, _, _, offset, size, ..] if name.starts_with('.') => {
            Some(format!("{name} {} {}", number(offset)?, number(size)?))
        }
        _ => None,
    }
}

const PCAP: &str = r#"
import struct
def ip(protocol, body):
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 7, 0x4000 | 185, 64, protocol, 0,
        bytes([10, 0, 0, 1]), bytes([192, 168, 1, 2])) + body
def ethernet(kind, body):
    return b"\xff" * 6 + b"\x02" * 6 + struct.pack(">H", kind) + body
udp = struct.pack(">HHHH", 1234, 53, 8 + 3, 0) + b"abc"
tcp = struct.pack(">HHIIHHHH", 40000, 80, 1, 0, 5 << 12 | 2, 1024, 0, 0)
packets = [ethernet(0x800, ip(17, udp)), ethernet(0x800, ip(6, tcp)), ethernet(0x806, bytes(28)),
    ethernet(0x86dd, bytes(40)), ethernet(0x800, ip(17, udp))[:40]]
with open("a.pcap", "wb") as out:
    out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, -3600, 0, 65535, 1))
    for n, it in enumerate(packets):
        out.write(struct.pack("<IIII", 1700000000 + n, n, len(it), len(it)) + it)
"#;

#[test]
fn a_capture() {
    let scratch = Scratch::new("pcap");
    if scratch.tool("python3", &["-c", PCAP]).is_none() {
        return;
    }
    let wanted = "version 2.4, zone -3600, 5 packets\n\
        udp 10.0.0.1 to 192.168.1.2, fragment 185: 1234 to 53, <61 62 63>\n\
        tcp 10.0.0.1 to 192.168.1.2, fragment 185: 40000 to 80, syn true, ack false, 5 words\n\
        arp of 28 bytes\n\
        `Ethernet.kind` at byte 12: no arm is for 34525\n\
        `Ethernet.udp_sum` at byte 40: the input ends here\n\
        written again: true\n";
    assert_eq!(scratch.read("pcap", "a.pcap"), wanted);
}
