// Reads proofs and tiles of the ledger with the Go project's own tlog package and C2SP's Torchwood, cosignatures with transparency-dev's formats.
//
//	foreign tiles FOLDER LOG-VKEY WITNESS-VKEY...   every hash, entry and path below the folder's checkpoint
//	foreign log FOLDER SIZE ROOT                    the same of a log whose head is known
//	foreign proofs < JSON lines                     a verdict on each proof, one line each
package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"filippo.io/torchwood"
	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type folder string

func (f folder) ReadTiles(_ context.Context, tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		read, err := os.ReadFile(filepath.Join(string(f), torchwood.TilePath(tile)))
		if err != nil {
			return nil, err
		}
		data[i] = read
	}
	return data, nil
}

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f folder) ReadEndpoint(_ context.Context, path string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), path))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// read goes through all entries, which the client compares with the tiles and these with the root.
func read(place string, tree tlog.Tree) {
	client, err := torchwood.NewClient(folder(place))
	must(err)
	count := int64(0)
	for index, entry := range client.Entries(context.Background(), tree, 0) {
		if index != count {
			must(fmt.Errorf("entry %d, expected %d", index, count))
		}
		count++
		if index%97 == 0 || index == tree.N-1 {
			one, proof, err := client.Entry(context.Background(), tree, index)
			must(err)
			if string(one) != string(entry) {
				must(fmt.Errorf("entry %d is two", index))
			}
			must(tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)))
		}
		// A client leaves out what stands in a partial tile that may still grow: it is read one by one.
	}
	must(client.Err())
	for ; count < tree.N; count++ {
		entry, proof, err := client.Entry(context.Background(), tree, count)
		must(err)
		must(tlog.CheckRecord(proof, tree.N, tree.Hash, count, tlog.RecordHash(entry)))
	}
	fmt.Println(count)
}

func checkpoint(place string, keys []string) tlog.Tree {
	raw, err := os.ReadFile(filepath.Join(place, "checkpoint"))
	must(err)
	log, err := note.NewVerifier(keys[0])
	must(err)
	verifiers := []note.Verifier{log}
	for _, key := range keys[1:] {
		witness, err := formats.NewVerifierForCosignatureV1(key)
		must(err)
		verifiers = append(verifiers, witness)
	}
	opened, err := note.Open(raw, note.VerifierList(verifiers...))
	must(err)
	if len(opened.Sigs) != len(verifiers) {
		must(fmt.Errorf("%d signatures hold, expected %d", len(opened.Sigs), len(verifiers)))
	}
	found, err := torchwood.ParseCheckpoint(opened.Text)
	must(err)
	return found.Tree
}

type question struct {
	Kind        string
	Size, Index int64
	Root, Hash  string
	Path        []string
}

func hash(text string) (made tlog.Hash) {
	raw, err := base64.StdEncoding.DecodeString(text)
	must(err)
	copy(made[:], raw)
	return made
}

func answer(one question) bool {
	var path []tlog.Hash
	for _, text := range one.Path {
		path = append(path, hash(text))
	}
	if one.Kind == "inclusion" {
		return tlog.CheckRecord(path, one.Size, hash(one.Root), one.Index, hash(one.Hash)) == nil
	}
	return tlog.CheckTree(path, one.Size, hash(one.Root), one.Index, hash(one.Hash)) == nil
}

func main() {
	switch os.Args[1] {
	case "tiles":
		read(os.Args[2], checkpoint(os.Args[2], os.Args[3:]))
	case "log":
		size, err := strconv.ParseInt(os.Args[3], 10, 64)
		must(err)
		read(os.Args[2], tlog.Tree{N: size, Hash: hash(os.Args[4])})
	case "proofs":
		lines := bufio.NewScanner(os.Stdin)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var one question
			must(json.Unmarshal(lines.Bytes(), &one))
			fmt.Println(answer(one))
		}
		must(lines.Err())
	}
}
