//! A notification server that delivers wrongly: what a fan-out has to notice.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use parking_lot::Mutex;

use super::*;
use crate::{baseline, client::upgrade};

/// What it does with one message after the other.
#[derive(Debug, Clone, Copy)]
enum Delivery {
    Right,
    Twice,
    Never,
    /// With an id below that of the message before.
    LowId,
}

const DELIVERIES: [Delivery; 5] =
    [Delivery::Right, Delivery::Twice, Delivery::Never, Delivery::LowId, Delivery::Right];

/// Reads a request; returns its first line and its body.
fn request(socket: &mut TcpStream) -> Option<(String, String)> {
    let mut text = String::new();
    loop {
        let mut part = [0; 4096];
        let got = socket.read(&mut part).ok().filter(|got| *got > 0)?;
        text.push_str(std::str::from_utf8(&part[..got]).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        if body.len() == length {
            return Some((head.lines().next().unwrap().to_owned(), body.to_owned()));
        }
    }
}

fn serve(mut socket: TcpStream, streams: &Mutex<Vec<TcpStream>>, published: &Mutex<usize>) {
    while let Some((line, body)) = request(&mut socket) {
        if line.starts_with("GET /stream") {
            socket.write_all(baseline::switching_protocols(upgrade::NONCE).as_bytes()).unwrap();
            streams.lock().push(socket);
            return;
        }
        let mut answer = r#"{"id":1,"token":"T"}"#.to_owned();
        if line.starts_with("POST /message") {
            let mut published = published.lock();
            let delivery = DELIVERIES[*published % DELIVERIES.len()];
            *published += 1;
            let id = *published + 100;
            let (id, times) = match delivery {
                Delivery::Right => (id, 1),
                Delivery::Twice => (id, 2),
                Delivery::Never => (id, 0),
                Delivery::LowId => (1, 1),
            };
            let message = body.replacen('{', &format!("{{\"id\":{id},"), 1);
            for stream in streams.lock().iter_mut() {
                for _ in 0..times {
                    stream.write_all(&baseline::frame(message.as_bytes())).unwrap();
                }
            }
            answer = format!("{{\"id\":{id}}}");
        }
        let length = answer.len();
        write!(socket, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{answer}").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fan_out_counts_what_is_lost_doubled_and_out_of_order() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (streams, published) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
        for socket in listener.incoming() {
            let (streams, published) = (Arc::clone(&streams), Arc::clone(&published));
            thread::spawn(move || serve(socket.unwrap(), &streams, &published));
        }
    });
    let plan = format!(
        "target: {{server: 'http://{address}', do: fanout, streams: 3, connect_rate: 100}}\n\
         load: {{model: tsunami, requests: 5, delay: 20ms, concurrency: 1}}\n\
         thresholds: [lost < 1, duplicated < 1, out of order < 1, closed < 1]"
    );
    let report = run(1, &plan, pending()).await;
    let delivered = report.total.deliveries.unwrap().counts;
    assert_eq!((delivered.expected, delivered.received), (15, 12));
    assert_eq!((delivered.lost, delivered.duplicated, delivered.out_of_order), (3, 3, 3));
    let kept: Vec<bool> = report.thresholds.iter().map(|verdict| verdict.kept).collect();
    assert_eq!(kept, [false, false, false, true]);
}
