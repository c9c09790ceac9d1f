module casebus.example/foreign

go 1.24.0

require (
	filippo.io/torchwood v0.6.1
	github.com/transparency-dev/formats v0.1.0
	golang.org/x/mod v0.32.0
)

require (
	golang.org/x/crypto v0.38.0 // indirect
	golang.org/x/sync v0.14.0 // indirect
)
