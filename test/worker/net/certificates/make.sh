#!/bin/sh
# Makes the certificates of the tests again, valid for a hundred years. The keys are for tests alone: nobody trusts them.
set -eu
cd "$(dirname "$0")"
days=36500
key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
openssl req -x509 $key -keyout authority.key -out authority.pem -subj "/CN=KAMI test authority" -days $days \
  -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign"
sign() { # name, subject alternative names, days, serial number
  openssl req $key -keyout "$1.key" -out "$1.csr" -subj "/CN=$1"
  printf 'subjectAltName=%s\n' "$2" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA authority.pem -CAkey authority.key -set_serial "$4" -out "$1.pem" -days "$3" -extfile "$1.ext"
  rm "$1.csr" "$1.ext"
}
sign good "DNS:good.test,IP:127.0.0.1" $days 2
sign expired "DNS:good.test" -1 3
openssl req -x509 $key -keyout self-signed.key -out self-signed.pem -subj "/CN=good.test" -days $days \
  -addext "subjectAltName=DNS:good.test"
rm -f authority.key
