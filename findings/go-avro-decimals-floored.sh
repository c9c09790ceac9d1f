#!/usr/bin/env bash
# hamba/avro 2.31.0 and linkedin/goavro 2.15.0 (Go) write a number with more decimals than its schema, rounded down without a word; twmb/avro 1.9.1 refuses it.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > main.go <<'GO'
package main

import (
	"fmt"
	"math/big"

	"github.com/hamba/avro/v2"
	"github.com/linkedin/goavro/v2"
	twmb "github.com/twmb/avro"
)

const schema = `{"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 2}`

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	parsed := avro.MustParse(schema)
	codec, err := goavro.NewCodec(schema)
	check(err)
	for _, said := range []string{"1.00", "1.009", "-1.001", "-1.009"} {
		value, _ := new(big.Rat).SetString(said)
		raw, err := avro.Marshal(parsed, value)
		check(err)
		var hamba any
		check(avro.Unmarshal(parsed, raw, &hamba))
		raw, err = codec.BinaryFromNative(nil, value)
		check(err)
		linkedin, _, err := codec.NativeFromBinary(raw)
		check(err)
		_, err = twmb.MustParse(schema).Encode(value)
		fmt.Println(said, hamba.(*big.Rat).FloatString(2), linkedin.(*big.Rat).FloatString(2), "refused:", err != nil)
	}
}
GO
{
    go mod init finding
    go get github.com/hamba/avro/v2@v2.31.0 github.com/linkedin/goavro/v2@v2.15.0 github.com/twmb/avro@v1.9.1
} 2> go.log || { cat go.log; exit 1; }
echo "written, as hamba, goavro wrote it, whether twmb refuses it"
go run . | tee seen
diff seen - <<'EXPECTED'
1.00 1.00 1.00 refused: false
1.009 1.00 1.00 refused: true
-1.001 -1.01 -1.01 refused: true
-1.009 -1.01 -1.01 refused: true
EXPECTED
