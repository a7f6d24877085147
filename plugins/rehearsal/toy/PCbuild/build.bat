@echo off
rem Stored with LF, checked out and exported with CRLF: see .gitattributes.
echo The toy is not built on Windows.
