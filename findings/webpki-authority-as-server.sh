#!/usr/bin/env bash
# `openssl req -x509` makes a certificate that is its own authority (basicConstraints CA:TRUE). Whoever gives that
# certificate to a client as the one to trust expects it to trust the server that has it. Clients in Go and those of
# OpenSSL do. rustls with webpki refuses it, although it lies in its root store: an authority's certificate may not be
# a server's.
#
#   OpenSSL's s_client -verify_return_error    connects
#   Go's crypto/tls, RootCAs                   connects
#   rustls 0.23.46 (webpki 0.103), roots       invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))
#
# So a program on rustls that takes a server's own certificate from its user has to compare that certificate itself.
# benchmark/src/client/transport.rs does, for `ca` of a plan.
#
# Needs openssl, go and cargo. Ends with 0 if all still behave so, and with 1 if one has changed.
set -euo pipefail

folder=$(mktemp -d)
server=''
# shellcheck disable=SC2329 # the trap calls it
end() {
    [[ -z $server ]] || kill "$server" 2>/dev/null || true
    chmod -R u+w "$folder"
    rm -rf "$folder"
}
trap end EXIT
cd "$folder"

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
    -keyout key.pem -out certificate.pem 2>/dev/null
openssl x509 -in certificate.pem -noout -text | grep -q 'CA:TRUE'

mkdir -p with_go with_rust/src
cat >with_go/main.go <<'GO'
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

func main() {
	pem, _ := os.ReadFile(os.Args[1])
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	_, err := tls.Dial("tcp", "127.0.0.1:"+os.Args[2], &tls.Config{RootCAs: roots, ServerName: "localhost"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("connects")
}
GO
(cd with_go && go mod init dial >/dev/null 2>&1 && go build -o dial .)

cat >with_rust/Cargo.toml <<'TOML'
[package]
name = "dial"
version = "0.0.0"
edition = "2021"

[dependencies]
rustls = { version = "=0.23.46", default-features = false, features = ["ring", "std", "tls12"] }
rustls-webpki = "=0.103.17"

[workspace]
TOML
cat >with_rust/src/main.rs <<'RUST'
use std::{net::TcpStream, sync::Arc};

use rustls::pki_types::{pem::PemObject, CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&arguments[1]).expect("a certificate")).expect("an authority");
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let mut session = ClientConnection::new(Arc::new(config), name).expect("a session");
    let mut socket = TcpStream::connect(format!("127.0.0.1:{}", arguments[2])).expect("a connection");
    while session.is_handshaking() {
        if let Err(error) = session.complete_io(&mut socket) {
            println!("{error}");
            return;
        }
    }
    println!("connects");
}
RUST
cargo build --quiet --manifest-path with_rust/Cargo.toml --target-dir with_rust/target

# A port that is free now.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
openssl s_server -accept "127.0.0.1:$port" -cert certificate.pem -key key.pem -quiet >/dev/null 2>&1 &
server=$!
for _ in $(seq 50); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    sleep 0.1
done

with_openssl=refused
openssl s_client -connect "127.0.0.1:$port" -servername localhost -verify_hostname localhost -CAfile certificate.pem \
    -verify_return_error </dev/null >/dev/null 2>&1 && with_openssl=connects
echo "OpenSSL: $with_openssl"
with_go=$(with_go/dial certificate.pem "$port")
echo "Go: $with_go"
with_rust=$(with_rust/target/debug/dial certificate.pem "$port")
echo "rustls 0.23.46: $with_rust"

[[ $with_openssl == connects && $with_go == connects ]]
[[ $with_rust == *CaUsedAsEndEntity* ]]
echo "as it was seen"
