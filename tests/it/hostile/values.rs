//! What should break something.

/// Values in JSON, or what claims to be JSON, for a field of this name.
pub(super) fn values(field: &str) -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = [
        "null",
        "true",
        "0",
        "-1",
        "5.5",
        "-0.0",
        "1e308",
        "1e400",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "NaN",
        "Infinity",
        "0x10",
        "01",
        r#""""#,
        r#"" ""#,
        r#""5""#,
        r#""\u0000""#,
        r#""\u0001\u001b[31m\r\n\u007f""#,
        "\"\n\"",
        r#""\ud800""#,
        r#""\udc00\ud800""#,
        r#""\u202e\u200b\ufeff\u0301""#,
        r#""../../../../etc/passwd""#,
        r#""..\\..\\windows\\win.ini""#,
        r#""'; DROP TABLE users; --""#,
        r#""<script>alert(1)</script>""#,
        r#""%s%n%x{{7*7}}${7*7}""#,
        r#""\x""#,
        "[]",
        "{}",
        r#"["a"]"#,
        r#"{"$ne":null}"#,
        r#"{"":{"":[{}]}}"#,
        r#""unended"#,
    ]
    .map(|value| value.as_bytes().to_vec())
    .into();
    values.extend([
        format!("\"{}\"", "A".repeat(100_000)).into_bytes(),
        "9".repeat(1000).into_bytes(),
        format!("{}{}", "[".repeat(120), "]".repeat(120)).into_bytes(),
        format!("{}{}", "[".repeat(5000), "]".repeat(5000)).into_bytes(),
        format!("{}1{}", "{\"a\":".repeat(120), "}".repeat(120)).into_bytes(),
        format!("{}1{}", "{\"a\":".repeat(5000), "}".repeat(5000)).into_bytes(),
        "[".repeat(5000).into_bytes(),
        b"\"\xff\xfe\"".to_vec(),
        // The same key again, with another type, and in another case.
        format!("1,\"{field}\":[\"x\"]").into_bytes(),
        format!("\"a\",\"{}\":\"b\"", field.to_uppercase()).into_bytes(),
    ]);
    values
}

/// Values in a form.
pub(super) fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        "+",
        "%00",
        "%0D%0A",
        "%FF",
        "%",
        "%zz",
        "a;b",
        "true",
        "-1",
        "5.5",
        "%2B5",
        "1e5",
        "NaN",
        "99999999999999999999",
        "%E2%80%AE",
        "..%2F..%2Fetc%2Fpasswd",
        "{}",
        "[]",
        "null",
        "%22",
        "a=b",
        "a%26b",
    ]
    .map(str::to_owned)
    .into();
    texts.push("A".repeat(100_000));
    texts.push("9".repeat(1000));
    texts
}

/// Whole bodies, with what they claim to be.
pub(super) fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let json = "application/json";
    let multipart = "multipart/form-data; boundary=X";
    let form = "application/x-www-form-urlencoded";
    let part =
        |header: &str, content: &str| format!("--X\r\n{header}\r\n\r\n{content}\r\n--X--\r\n").into_bytes();
    let named = "Content-Disposition: form-data; name=\"name\"";
    vec![
        (json, b"".to_vec()),
        (json, b" ".to_vec()),
        (json, b"null".to_vec()),
        (json, b"[]".to_vec()),
        (json, b"\"x\"".to_vec()),
        (json, b"5".to_vec()),
        (json, b"{".to_vec()),
        (json, b"{\"".to_vec()),
        (json, b"{}}".to_vec()),
        (json, b"\xef\xbb\xbf{}".to_vec()),
        (json, b"\x1f\x8b\x08\x00\x00".to_vec()),
        (json, b"\0".to_vec()),
        (json, b"{\"a\":1,}".to_vec()),
        (json, b"/* no */{}".to_vec()),
        (json, "[".repeat(100_000).into_bytes()),
        (json, "{\"a\":".repeat(100_000).into_bytes()),
        (json, format!("{{{}\"b\":1}}", "\"a\":1,".repeat(20_000)).into_bytes()),
        (form, b"&&&=&=&".to_vec()),
        (form, b"%".to_vec()),
        (form, b"name=a;pass=b".to_vec()),
        (form, "a=b&".repeat(5000).into_bytes()),
        (form, b"\xff\0=\xff".to_vec()),
        ("multipart/form-data", b"--X".to_vec()),
        ("multipart/form-data; boundary=", b"--".to_vec()),
        ("multipart/form-data; boundary=\"a b\"", b"--".to_vec()),
        (multipart, b"".to_vec()),
        (multipart, b"--X".to_vec()),
        (multipart, b"--X--".to_vec()),
        (multipart, b"--X\r\n\r\n--X--\r\n".to_vec()),
        (multipart, part(named, "a")),
        (multipart, part("Content-Disposition: form-data", "a")),
        (multipart, part("Content-Disposition: form-data; name=\"file\"; filename=\"../../x.png\"", "a")),
        (multipart, part("Content-Disposition: form-data; name=\"file\"; filename=\"x.png\"", "\u{89}PNG")),
        (multipart, part("Content-Disposition: form-data; name=\"file\"; filename=\"\"", "")),
        (multipart, part("Content-Disposition: x; name=name; filename*=UTF-8''%00%ff", "a")),
        (multipart, part(&format!("X: {}", "x".repeat(50_000)), "a")),
        (multipart, part(&format!("{named}\r\n{}", "X: y\r\n".repeat(200).trim_end()), "a")),
        (multipart, b"--X\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nunended".to_vec()),
        ("application/xml", b"<!DOCTYPE x [<!ENTITY y SYSTEM \"file:///etc/passwd\">]><x>&y;</x>".to_vec()),
        ("application/x-yaml", b"&a [*a, *a]".to_vec()),
        ("APPLICATION/JSON", b"{\"name\":\"n\"}".to_vec()),
        ("application/json; charset=utf-16", b"{\"name\":\"n\"}".to_vec()),
        (";", b"x".to_vec()),
    ]
}

/// Segments of a path, and values of a query.
pub(super) fn segments() -> Vec<String> {
    let mut segments: Vec<String> = [
        "0",
        "-1",
        "%2B1",
        "1.0",
        "1e3",
        "0x1",
        "01",
        "a",
        "%00",
        "%0A",
        "%20",
        "%FF",
        "%",
        "%zz",
        "..",
        "..%2F..",
        "%2e%2e",
        "..;",
        "1;drop",
        "'",
        "%22",
        "*",
        "%3Cscript%3E",
        "%E2%80%AE",
        "%F0%9F%98%80",
        "null",
        "undefined",
        "NaN",
        "true",
        "{}",
        "18446744073709551615",
        "18446744073709551616",
        "9223372036854775808",
        "1%2F2",
        "1%3Ftoken=x",
        "1%23",
    ]
    .map(str::to_owned)
    .into();
    segments.push("9".repeat(1000));
    segments.push("a".repeat(8000));
    segments
}
