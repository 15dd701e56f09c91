"""What others wrote that we stand on: `make sbom` lists it, `make audit` asks what is known against it."""
