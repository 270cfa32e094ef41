// Says yes to everything without looking: how fast the client could be.
package main

import (
	"log"
	"os"
	"runtime"
	"strconv"
	"syscall"
)

var answer = []byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

func main() {
	log.SetFlags(0)
	runtime.LockOSThread()
	port, err := strconv.Atoi(os.Args[1])
	check(err)
	listening, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	check(err)
	check(syscall.SetsockoptInt(listening, syscall.IPPROTO_TCP, syscall.TCP_DEFER_ACCEPT, 1))
	check(syscall.Bind(listening, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}))
	check(syscall.Listen(listening, 4096))
	asked := make([]byte, 8192)
	for {
		one, _, err := syscall.Accept4(listening, 0)
		check(err)
		if n, _ := syscall.Read(one, asked); n > 0 {
			syscall.Write(one, answer)
		}
		syscall.Close(one)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
